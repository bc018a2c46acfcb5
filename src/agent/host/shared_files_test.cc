#include "agent/host/shared_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/limits.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::agent {
namespace {

namespace fs = std::filesystem;
using base::os::Durability;

// A machine in one folder, and what silos see of it in another.
class SharedFilesTest : public ::testing::Test {
 protected:
  SharedFilesTest() {
    fs::create_directories(folder_ / "host/etc");
    fs::create_directories(folder_ / "host/var/lib");
    fs::create_directories(folder_ / "seen/etc");
    files_.emplace(SharedFolders{folder_ / "host", folder_ / "seen"},
                   std::vector<std::string>{"passwd"});
  }

  void host(const std::string& path, const std::string& text, mode_t mode = 0644) {
    const std::string file = folder_ / "host/" + path;
    fs::create_directories(fs::path(file).parent_path());
    ASSERT_TRUE(base::os::replace_file(file, text, mode, Durability::Cached).has_value());
  }
  void link(const std::string& path, const std::string& target) {
    const std::string file = folder_ / "host/" + path;
    fs::create_directories(fs::path(file).parent_path());
    fs::remove(file);
    fs::create_symlink(target, file);
  }
  void refresh() {
    now_ += kSharedLook;
    const auto done = files_->refresh(now_);
    ASSERT_TRUE(done.has_value()) << describe(done.error());
  }
  std::string seen(const std::string& path) {
    const std::string file = folder_ / "seen/" + path;
    if (fs::is_symlink(file)) return "-> " + fs::read_symlink(file).string();
    return base::os::read_file(file, 1 << 20).value_or("nothing");
  }

  base::testing::TemporaryFolder folder_;
  base::BootTime now_{0};
  std::optional<SharedFiles> files_;
};

TEST_F(SharedFilesTest, RuntimesFindTheirSettings) {
  host("etc/java-17-openjdk/security/java.security", "policy");
  host("etc/php/8.2/mods-available/intl.ini", "extension");
  link("etc/php/8.2/cli/conf.d/20-intl.ini", "/etc/php/8.2/mods-available/intl.ini");
  host("etc/ssl/openssl.cnf", "providers");
  link("etc/ssl/certs/root.pem", "/usr/share/ca-certificates/root.crt");
  host("etc/mime.types", "types");
  host("var/lib/mecab/dic", "words");
  refresh();
  EXPECT_EQ(seen("etc/java-17-openjdk/security/java.security"), "policy");
  EXPECT_EQ(seen("etc/php/8.2/mods-available/intl.ini"), "extension");
  EXPECT_EQ(seen("etc/php/8.2/cli/conf.d/20-intl.ini"), "-> /etc/php/8.2/mods-available/intl.ini");
  EXPECT_EQ(seen("etc/ssl/openssl.cnf"), "providers");
  EXPECT_EQ(seen("etc/ssl/certs/root.pem"), "-> /usr/share/ca-certificates/root.crt");
  EXPECT_EQ(seen("etc/mime.types"), "types");
  EXPECT_EQ(seen("var/lib/mecab/dic"), "words");
  EXPECT_TRUE(fs::is_directory(folder_ / "seen/var/tmp"));
}

TEST_F(SharedFilesTest, WithoutAnythingInItThereIsNoVar) {
  host("etc/mime.types", "types");
  host("var/lib/dpkg/status", "packages");
  refresh();
  EXPECT_FALSE(fs::exists(folder_ / "seen/var"));
}

TEST_F(SharedFilesTest, NothingIsSeenThatIsNotListed) {
  for (const char* path :
       {"etc/shadow", "etc/environment", "etc/ssl/private/key", "etc/ssh/key", "etc/npmrc",
        "etc/resolv.conf", "etc/maven/settings.xml", "etc/php/8.2/fpm/pool.d/www.conf"})
    host(path, "secret");
  host("etc/services", "names");
  refresh();
  EXPECT_EQ(seen("etc/services"), "names");
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "seen"))
    if (entry.is_regular_file()) all += entry.path().filename().string() + " ";
  EXPECT_EQ(all, "services ");
}

TEST_F(SharedFilesTest, WhatIsNotForEverybodyIsNotSeen) {
  host("etc/ssl/certs/both.pem", "-----BEGIN PRIVATE KEY-----");
  host("etc/java-17/management/jmxremote.password", "secret", 0600);
  host("etc/fonts/closed/x", "secret");
  ::chmod((folder_ / "host/etc/fonts/closed").c_str(), 0700);
  link("etc/fonts/elsewhere", "/home/somebody/fonts");
  link("etc/fonts/above", "../../root/fonts");
  link("etc/fonts/near", "../services");
  host("etc/fonts/open", "open");
  refresh();
  EXPECT_EQ(seen("etc/ssl/certs/both.pem"), "nothing");
  EXPECT_EQ(seen("etc/java-17/management/jmxremote.password"), "nothing");
  EXPECT_FALSE(fs::exists(folder_ / "seen/etc/fonts/closed"));
  EXPECT_EQ(seen("etc/fonts/elsewhere"), "nothing");
  EXPECT_EQ(seen("etc/fonts/above"), "nothing");
  EXPECT_EQ(seen("etc/fonts/near"), "-> ../services");
  EXPECT_EQ(seen("etc/fonts/open"), "open");
}

TEST_F(SharedFilesTest, ItIsAsTheMachineIsNow) {
  link("etc/alternatives/java", "/usr/lib/jvm/java-17/bin/java");
  host("etc/java-17/net.properties", "seventeen");
  refresh();
  link("etc/alternatives/java", "/usr/lib/jvm/java-21/bin/java");
  fs::remove_all(folder_ / "host/etc/java-17");
  host("etc/java-21/net.properties", "twenty-one");
  host("etc/services", "names");
  refresh();
  EXPECT_EQ(seen("etc/alternatives/java"), "-> /usr/lib/jvm/java-21/bin/java");
  EXPECT_FALSE(fs::exists(folder_ / "seen/etc/java-17"));
  EXPECT_EQ(seen("etc/java-21/net.properties"), "twenty-one");
  EXPECT_EQ(seen("etc/services"), "names");
}

TEST_F(SharedFilesTest, AFileThatIsChangedInItsPlaceIsSeen) {
  host("etc/php/8.2/cli/php.ini", "old");
  refresh();
  const std::string file = folder_ / "host/etc/php/8.2/cli/php.ini";
  struct stat before{};
  struct stat after{};
  ASSERT_EQ(::stat(file.c_str(), &before), 0);
  do {  // until the file system's clock has gone on
    std::filesystem::resize_file(file, 0);
    std::filesystem::resize_file(file, 3);
    ASSERT_EQ(::stat(file.c_str(), &after), 0);
  } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
           after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
  refresh();
  EXPECT_EQ(seen("etc/php/8.2/cli/php.ini"), std::string(3, '\0'));
}

TEST_F(SharedFilesTest, ItIsNotLookedAtMoreOftenThanItIsWorth) {
  host("etc/services", "old");
  refresh();
  host("etc/services", "new");
  ASSERT_TRUE(files_->refresh(now_ + kSharedLook / 2).has_value());
  EXPECT_EQ(seen("etc/services"), "old");
  refresh();
  EXPECT_EQ(seen("etc/services"), "new");
}

TEST_F(SharedFilesTest, WhatAnEarlierAgentLeftIsTakenAwayAndASilosOwnFilesStay) {
  fs::create_directories(folder_ / "seen/etc/alternatives");
  fs::create_symlink("/usr/bin/gone", folder_ / "seen/etc/alternatives/gone");
  ASSERT_TRUE(base::os::replace_file(folder_ / "seen/etc/passwd", "app", 0644, Durability::Cached)
                  .has_value());
  ASSERT_TRUE(
      base::os::replace_file(folder_ / "seen/etc/old", "x", 0644, Durability::Cached).has_value());
  host("etc/passwd", "people");
  host("etc/services", "names");
  refresh();
  EXPECT_EQ(seen("etc/passwd"), "app");
  EXPECT_EQ(seen("etc/old"), "nothing");
  EXPECT_FALSE(fs::is_symlink(folder_ / "seen/etc/alternatives/gone"));
}

TEST_F(SharedFilesTest, AFileMayTakeThePlaceOfAFolder) {
  host("etc/fonts/local/x", "inner");
  refresh();
  fs::remove_all(folder_ / "host/etc/fonts/local");
  host("etc/fonts/local", "file");
  refresh();
  EXPECT_EQ(seen("etc/fonts/local"), "file");
}

}  // namespace
}  // namespace granary::agent

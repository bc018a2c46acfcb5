#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"
#include "wire/bundle.h"
#include "wire/bundle_reader.h"

namespace granary::wire {
namespace {

using base::Code;
using base::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PackTest : public ::testing::Test {
 protected:
  base::Result<BundleInfo> pack_it(const PackOptions& options = {}) {
    return pack(app_.path(), out_ / "bundle", options);
  }
  base::Error refusal(const PackOptions& options = {}) {
    auto packed = pack_it(options);
    EXPECT_FALSE(packed.has_value());
    EXPECT_FALSE(base::os::exists(out_ / "bundle")) << "left behind after a failure";
    return packed ? base::Error{} : packed.error();
  }
  std::vector<std::string> packed_paths(const PackOptions& options = {}) {
    auto packed = pack_it(options);
    EXPECT_TRUE(packed.has_value()) << base::describe(packed.error());
    auto reader = BundleReader::open(out_ / "bundle", {});
    std::vector<std::string> paths;
    for (auto entry = (*reader)->next(); entry && *entry; entry = (*reader)->next())
      paths.push_back((*entry)->path);
    return paths;
  }

  TemporaryFolder app_;
  TemporaryFolder out_;
};

TEST_F(PackTest, EqualFoldersGiveEqualBundlesWhateverTheirDatesOrderAndUmask) {
  app_.write("b.txt", "two");
  app_.write("a/x.py", "print(1)", 0600);
  app_.write("a/run", "#!/bin/sh", 0700);
  TemporaryFolder other;
  other.write("a/run", "#!/bin/sh", 0755);
  other.write("a/x.py", "print(1)", 0644);
  other.write("b.txt", "two", 0664);
  const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (other / "b.txt").c_str(), long_ago, 0), 0);

  const auto one = pack_it();
  const auto two = pack(other.path(), out_ / "other", {});
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(*one, *two);
  EXPECT_EQ(*base::os::read_file(out_ / "bundle", 1 << 20),
            *base::os::read_file(out_ / "other", 1 << 20));
  EXPECT_EQ(one->files, 3U);
  EXPECT_EQ(one->content_bytes, 3U + 8U + 9U);
}

TEST_F(PackTest, ContentNameModeAndLinkTargetEachChangeTheHash) {
  app_.write("f", "1");
  std::set<std::string> hashes{pack_it()->hash};
  app_.write("f", "2");
  hashes.insert(pack_it()->hash);
  app_.write("f", "2", 0755);
  hashes.insert(pack_it()->hash);
  ASSERT_EQ(::rename((app_ / "f").c_str(), (app_ / "g").c_str()), 0);
  hashes.insert(pack_it()->hash);
  ASSERT_EQ(::symlink("g", (app_ / "l").c_str()), 0);
  hashes.insert(pack_it()->hash);
  ASSERT_EQ(::unlink((app_ / "l").c_str()), 0);
  ASSERT_EQ(::symlink("f", (app_ / "l").c_str()), 0);
  hashes.insert(pack_it()->hash);
  EXPECT_EQ(hashes.size(), 6U);
}

TEST_F(PackTest, TheHashIsOfTheArchiveAndStaysTheSameAcrossVersions) {
  app_.write("granary.yaml", "app: a\n");
  app_.write("src/main.py", "print('hello')\n", 0755);
  ASSERT_EQ(::symlink("../granary.yaml", (app_ / "src/manifest").c_str()), 0);
  EXPECT_EQ(pack_it()->hash, "ad99fafb6f6aead5b83f382a78d2b65900d396a67e4eea6ce786b03915e53b81");
}

TEST_F(PackTest, LongAndForeignNamesArePackedAsTheyAre) {
  const std::string name = "\xc3\xa4\xe2\x82\xac" + std::string(150, 'n');
  app_.write(name + "/" + name, "x");
  EXPECT_THAT(packed_paths(), ElementsAre(name, name + "/" + name));
}

TEST_F(PackTest, FoldersComeBeforeTheirContentsInByteOrder) {
  app_.write("b/c", "");
  app_.write("b.txt", "");
  app_.write("a", "");
  ASSERT_TRUE(base::os::make_folders(app_ / "empty", 0700).has_value());
  EXPECT_THAT(packed_paths(), ElementsAre("a", "b", "b/c", "b.txt", "empty"));
}

TEST_F(PackTest, WhatVersionControlAndInterpretersLeaveBehindIsLeftOut) {
  app_.write(".git/config", "");
  app_.write("pkg/__pycache__/m.cpython-311.pyc", "");
  app_.write("pkg/m.pyc", "");
  app_.write("pkg/m.py", "");
  app_.write("web/node_modules/left-pad/index.js", "");
  ASSERT_TRUE(base::os::make_folders(app_ / ".venv/bin", 0755).has_value());
  ASSERT_EQ(::symlink("/usr/bin/python3", (app_ / ".venv/bin/python").c_str()), 0);
  EXPECT_THAT(packed_paths(), ElementsAre("pkg", "pkg/m.py", "web"));
}

TEST_F(PackTest, TheIgnoreFileAddsAndTakesBack) {
  app_.write(".granaryignore", "*.log\n!node_modules/\n/local\n");
  app_.write("x.log", "");
  app_.write("local", "");
  app_.write("sub/local", "");
  app_.write("node_modules/m.js", "");
  EXPECT_THAT(packed_paths(), ElementsAre("node_modules", "node_modules/m.js", "sub", "sub/local"));
}

TEST_F(PackTest, ABundlesOwnContentsArePackedWhole) {
  app_.write("node_modules/m.js", "");
  app_.write(".granaryignore", "m.js");
  EXPECT_THAT(packed_paths({.source = Source::BundleContents}),
              ElementsAre(".granaryignore", "node_modules", "node_modules/m.js"));
}

TEST_F(PackTest, LinksThatLeaveTheFolderAreRefused) {
  app_.write("sub/f", "");
  for (const char* target :
       {"/etc/passwd", "../../etc/passwd", "../..", "f/../../..", "../sub/../f"}) {
    ASSERT_EQ(::symlink(target, (app_ / "sub/link").c_str()), 0);
    EXPECT_EQ(refusal().code, Code::InvalidArgument) << target;
    ASSERT_EQ(::unlink((app_ / "sub/link").c_str()), 0);
  }
  ASSERT_EQ(::symlink("../sub/f", (app_ / "sub/link").c_str()), 0);
  EXPECT_TRUE(pack_it().has_value());
}

TEST_F(PackTest, PipesSocketsAndSetuidFilesAreRefusedByName) {
  ASSERT_EQ(::mkfifo((app_ / "pipe").c_str(), 0644), 0);
  EXPECT_THAT(refusal().message, HasSubstr("'pipe' is a named pipe"));
  ASSERT_EQ(::unlink((app_ / "pipe").c_str()), 0);

  const base::os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = app_ / "socket";
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_THAT(refusal().message, HasSubstr("'socket' is a socket"));
  ASSERT_EQ(::unlink(path.c_str()), 0);

  app_.write("sudo", "", 04755);
  EXPECT_THAT(refusal().message, HasSubstr("'sudo' is setuid"));
}

TEST_F(PackTest, NamesThatAreNotPrintableUtf8AreRefused) {
  for (const char* name : {"caf\xe9", "a\nb", "a\x1b[31m"}) {
    app_.write(name, "");
    EXPECT_EQ(refusal().code, Code::InvalidArgument);
    ASSERT_EQ(::unlink((app_ / name).c_str()), 0);
  }
}

TEST_F(PackTest, EveryBoundIsHeld) {
  app_.write("d/e/f", "12345");
  app_.write("g", "12345");
  EXPECT_TRUE(pack_it({.limits = {.entries = 4}}).has_value());
  EXPECT_EQ(refusal({.limits = {.entries = 3}}).code, Code::Exhausted);
  EXPECT_EQ(refusal({.limits = {.file_bytes = 4}}).code, Code::Exhausted);
  EXPECT_EQ(refusal({.limits = {.total_bytes = 9}}).code, Code::Exhausted);
  EXPECT_EQ(refusal({.limits = {.path_bytes = 4}}).code, Code::Exhausted);
  EXPECT_EQ(refusal({.limits = {.depth = 2}}).code, Code::Exhausted);
}

TEST_F(PackTest, AFolderFullOfNamesIsNotReadToItsEnd) {
  for (int i = 0; i < 50; ++i) app_.write("f" + std::to_string(i), "");
  const base::Error error = refusal({.limits = {.entries = 10}});
  EXPECT_EQ(error.code, Code::Exhausted);
  EXPECT_THAT(error.message, HasSubstr("more than 10 names"));
}

TEST_F(PackTest, AMissingFolderIsNotFound) {
  auto packed = pack(app_ / "nowhere", out_ / "bundle", {});
  ASSERT_FALSE(packed.has_value());
  EXPECT_EQ(packed.error().code, Code::NotFound);
}

}  // namespace
}  // namespace granary::wire

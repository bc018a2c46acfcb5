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
    auto packed = pack(app_.path(), out_ / "bundle", options);
    if (!packed) return std::unexpected(packed.error());
    return packed->bundle;
  }
  std::vector<LeftOut> left_out() {
    const auto packed = pack(app_.path(), out_ / "bundle", {});
    EXPECT_TRUE(packed.has_value()) << base::describe(packed.error());
    return packed->left_out;
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
  EXPECT_EQ(*one, two->bundle);
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
  EXPECT_THAT(packed_paths(), ElementsAre("pkg", "pkg/m.py"));
}

// Nothing installs them anew where the release runs.
TEST_F(PackTest, InstalledDependenciesGoInWithTheirLinks) {
  app_.write("node_modules/left-pad/index.js", "");
  app_.write("node_modules/left-pad/cli.js", "", 0755);
  ASSERT_TRUE(base::os::make_folders(app_ / "node_modules/.bin", 0755).has_value());
  ASSERT_EQ(::symlink("../left-pad/cli.js", (app_ / "node_modules/.bin/left-pad").c_str()), 0);
  app_.write("packages/ui/index.js", "");  // npm's workspaces
  ASSERT_EQ(::symlink("../packages/ui", (app_ / "node_modules/ui").c_str()), 0);
  app_.write("node_modules/.pnpm/a@1/node_modules/a/a.js", "");  // pnpm's layout
  ASSERT_EQ(::symlink(".pnpm/a@1/node_modules/a", (app_ / "node_modules/a").c_str()), 0);
  EXPECT_THAT(packed_paths(), ::testing::IsSupersetOf(
                                  {"node_modules/left-pad/index.js", "node_modules/.bin/left-pad",
                                   "node_modules/ui", "node_modules/a",
                                   "node_modules/.pnpm/a@1/node_modules/a/a.js"}));
}

TEST_F(PackTest, AVirtualEnvironmentIsLeftOutWhateverItsName) {
  app_.write("main.py", "");
  for (const char* name : {".venv", "env"}) {
    app_.write(std::string(name) + "/pyvenv.cfg", "home = /usr/bin");
    ASSERT_TRUE(base::os::make_folders(app_ / (std::string(name) + "/bin"), 0755).has_value());
    ASSERT_EQ(::symlink("/usr/bin/python3", (app_ / (std::string(name) + "/bin/python")).c_str()),
              0);
  }
  app_.write("venv/not-one.py", "");
  EXPECT_THAT(packed_paths(), ElementsAre("main.py", "venv", "venv/not-one.py"));
  const auto out = left_out();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].folders, 2U);
  EXPECT_EQ(out[0].example, ".venv");
  EXPECT_THAT(out[0].note, HasSubstr("pip install --target vendor"));
}

TEST_F(PackTest, WhatIsLeftOutIsToldByRuleWithItsCount) {
  app_.write(".git/config", "");
  app_.write("a/__pycache__/m.pyc", "");
  app_.write("b/__pycache__/m.pyc", "");
  app_.write("b/m.pyc", "");
  app_.write(".granaryignore", "# logs\n*.log\nnothing-has-this-name\n");
  app_.write("x.log", "");
  app_.write("y.log/z", "");
  EXPECT_THAT(
      left_out(),
      ElementsAre(LeftOut{"*.pyc", 1, 0, "b/m.pyc", "to keep it, write !*.pyc into .granaryignore"},
                  LeftOut{".git", 0, 1, ".git", "to keep it, write !.git into .granaryignore"},
                  LeftOut{"__pycache__", 0, 2, "a/__pycache__",
                          "to keep it, write !__pycache__ into .granaryignore"},
                  LeftOut{"*.log", 1, 1, "x.log", ".granaryignore:2"}));
}

TEST_F(PackTest, TheIgnoreFileAddsAndTakesBack) {
  app_.write(".granaryignore", "*.log\n!__pycache__/\n/local\n");
  app_.write("x.log", "");
  app_.write("local", "");
  app_.write("sub/local", "");
  app_.write("__pycache__/m.txt", "");
  EXPECT_THAT(packed_paths(), ElementsAre("__pycache__", "__pycache__/m.txt", "sub", "sub/local"));
}

TEST_F(PackTest, ABundlesOwnContentsArePackedWhole) {
  app_.write("__pycache__/m.js", "");
  app_.write(".env", "A=1");
  app_.write(".granaryignore", "m.js");
  EXPECT_THAT(packed_paths({.source = Source::BundleContents}),
              ElementsAre(".env", ".granaryignore", "__pycache__", "__pycache__/m.js"));
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

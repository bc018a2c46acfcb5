#include "agent/init/emptying.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "agent/init/sys.h"

namespace granary::init {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class EmptyingTest : public ::testing::Test {
 protected:
  EmptyingTest() {
    std::string name = "/tmp/granary-emptying-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
  }
  ~EmptyingTest() override { fs::remove_all(folder_); }

  void write(const std::string& name) {
    const int fd = ::open((folder_ + "/" + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    ::close(fd);
  }
  // Until what was written is older than what begins now, by the clock that files are stamped by.
  void let_it_age() {
    // Kernels with multigrain timestamps stamp files up to a tick ahead of this clock.
    const auto old = sys::wall_now_exactly() + milliseconds(20);
    while (sys::wall_now_exactly() <= old) {
    }
  }
  bool empty(milliseconds longest = milliseconds(60'000)) {
    return empty_folder(folder_.c_str(), memory_, {sys::wall_now_exactly(), longest});
  }

  std::string folder_;
  alignas(8) std::array<char, 16'384> memory_;
};

TEST_F(EmptyingTest, FilesFoldersAndLinksAreRemovedAndTheFolderStays) {
  write("file");
  write(".hidden");
  fs::create_directories(folder_ + "/a/b");
  write("a/b/file");
  fs::create_symlink("/etc", folder_ + "/link");
  fs::create_symlink("/etc/passwd", folder_ + "/a/b/link");
  let_it_age();
  EXPECT_TRUE(empty());
  EXPECT_TRUE(fs::is_empty(folder_));
  EXPECT_TRUE(fs::exists("/etc/passwd"));
}

TEST_F(EmptyingTest, WhatIsNestedMoreDeeplyThanAnyPathIsRemoved) {
  const int before = ::open(".", O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::chdir(folder_.c_str()), 0);
  for (int i = 0; i < 3'000; ++i) {
    ASSERT_EQ(::mkdir("nested", 0700), 0);
    ASSERT_EQ(::chdir("nested"), 0);
  }
  ASSERT_EQ(::fchdir(before), 0);
  ::close(before);
  let_it_age();
  EXPECT_TRUE(empty());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(EmptyingTest, FoldersThatWereClosedToTheirOwnerAreRemoved) {
  fs::create_directories(folder_ + "/closed/inner/more");
  write("closed/inner/more/file");
  ::chmod((folder_ + "/closed/inner/more").c_str(), 0);
  ::chmod((folder_ + "/closed/inner").c_str(), 0500);
  ::chmod((folder_ + "/closed").c_str(), 0);
  let_it_age();
  EXPECT_TRUE(empty());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(EmptyingTest, ManyFilesInOneFolderAreRemoved) {
  fs::create_directory(folder_ + "/many");
  for (int i = 0; i < 2'000; ++i) write("many/" + std::to_string(i));
  let_it_age();
  EXPECT_TRUE(empty());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(EmptyingTest, WhatAnotherServiceWritesMeanwhileStays) {
  write("old");
  let_it_age();
  const auto began = sys::wall_now_exactly();
  write("new");
  EXPECT_TRUE(empty_folder(folder_.c_str(), memory_, {began, milliseconds(60'000)}));
  EXPECT_FALSE(fs::exists(folder_ + "/old"));
  EXPECT_TRUE(fs::exists(folder_ + "/new"));
}

TEST_F(EmptyingTest, WhatTakesTooLongIsLeftAndSaidSo) {
  write("file");
  let_it_age();
  EXPECT_FALSE(empty(milliseconds(0)));
  EXPECT_TRUE(fs::exists(folder_ + "/file"));
}

TEST_F(EmptyingTest, AFolderThatIsNotThereIsEmpty) {
  EXPECT_TRUE(empty_folder((folder_ + "/none").c_str(), memory_,
                           {sys::wall_now_exactly(), milliseconds(1'000)}));
}

}  // namespace
}  // namespace granary::init

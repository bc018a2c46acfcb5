#include "base/os/folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

class FolderTest : public ::testing::Test {
 protected:
  Folder folder() { return *Folder::open(temporary_.path()); }
  base::testing::TemporaryFolder temporary_;
};

TEST_F(FolderTest, NamesAreSortedAndBounded) {
  temporary_.write("b", "");
  temporary_.write("a", "");
  temporary_.write("c/d", "");
  EXPECT_EQ(*folder().names(3), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(folder().names(2).error().code, Code::Exhausted);
}

TEST_F(FolderTest, AFolderOfAnySizeIsReadInPiecesInTheOrderOfItsNames) {
  std::vector<std::string> all;
  for (int i = 0; i < 500; ++i) {
    all.push_back(fmt::format("{}{}", i * 7'919 % 500, std::string(i % 40, 'n')));
    temporary_.write(all.back(), "");
  }
  std::ranges::sort(all);
  for (const std::size_t bytes : {1U, 300U, 5'000U, 1'000'000U}) {
    std::vector<std::string> found;
    for (bool more = true; more;) {
      const auto names = folder().names_after(found.empty() ? "" : found.back(), bytes);
      ASSERT_TRUE(names.has_value());
      ASSERT_TRUE(names->all || !names->names.empty());
      found.insert(found.end(), names->names.begin(), names->names.end());
      more = !names->all;
    }
    EXPECT_EQ(found, all) << bytes;
  }
}

TEST_F(FolderTest, ALinkIsNeverFollowed) {
  temporary_.write("real/file", "inside");
  ASSERT_EQ(::symlink("real", (temporary_ / "to_folder").c_str()), 0);
  ASSERT_EQ(::symlink("real/file", (temporary_ / "to_file").c_str()), 0);
  EXPECT_EQ(folder().open_folder("to_folder").error().code, Code::Refused);
  EXPECT_EQ(folder().open_file("to_file").error().code, Code::Refused);
  EXPECT_EQ(folder().status("to_file")->kind, EntryKind::Link);
  EXPECT_EQ(*folder().read_link("to_file"), "real/file");
}

TEST_F(FolderTest, ANamedPipeIsRefusedWithoutWaitingForAWriter) {
  ASSERT_EQ(::mkfifo((temporary_ / "pipe").c_str(), 0644), 0);
  EXPECT_EQ(folder().status("pipe")->kind, EntryKind::Fifo);
  EXPECT_EQ(folder().open_file("pipe").error().code, Code::Refused);
}

TEST_F(FolderTest, WhatIsMadeHasItsModeWhateverTheUmask) {
  const mode_t before = ::umask(077);
  ASSERT_TRUE(folder().make_folder("f", 0755).has_value());
  ASSERT_TRUE(folder().make_file("x", 0644).has_value());
  ::umask(before);
  EXPECT_EQ(folder().status("f")->mode, 0755U);
  EXPECT_EQ(folder().status("x")->mode, 0644U);
}

TEST_F(FolderTest, NothingThatExistsIsMadeAgain) {
  temporary_.write("x", "old");
  ASSERT_EQ(::symlink("nowhere", (temporary_ / "dangling").c_str()), 0);
  EXPECT_EQ(folder().make_file("x", 0644).error().code, Code::AlreadyExists);
  EXPECT_EQ(folder().make_file("dangling", 0644).error().code, Code::AlreadyExists);
  EXPECT_EQ(folder().make_folder("x", 0755).error().code, Code::AlreadyExists);
  EXPECT_EQ(folder().make_link("x", "y").error().code, Code::AlreadyExists);
}

}  // namespace
}  // namespace granary::base::os

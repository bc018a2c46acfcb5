#include "base/os/mirror.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

constexpr std::uint64_t kSize = 8U << 20;

class MirrorTest : public ::testing::Test {
 protected:
  MirrorTest() {
    from_ = open_file(folder_ / "from", O_RDWR | O_CREAT, 0600).value();
    to_ = open_file(folder_ / "to", O_RDWR | O_CREAT, 0600).value();
    EXPECT_EQ(::ftruncate(from_.get(), kSize), 0);
  }
  void put(std::uint64_t at, const std::string& bytes) {
    ASSERT_EQ(::pwrite(from_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
  }
  Mirrored mirror() { return mirror_file(from_.get(), to_.get(), {}).value(); }
  void expect_equal() {
    EXPECT_EQ(read_file(folder_ / "to", 2 * kSize).value(),
              read_file(folder_ / "from", 2 * kSize).value());
  }
  static std::int64_t blocks(const Fd& file) {
    struct stat status{};
    EXPECT_EQ(::fstat(file.get(), &status), 0);
    return status.st_blocks;
  }

  testing::TemporaryFolder folder_;
  Fd from_;
  Fd to_;
};

TEST_F(MirrorTest, TheFirstTimeAllIsCopiedAndHolesStayHoles) {
  put(0, std::string(100'000, 'a'));
  put(5U << 20, std::string(3'000, 'b'));
  const Mirrored first = mirror();
  expect_equal();
  EXPECT_LT(first.written, 200'000U);
  EXPECT_LT(blocks(to_), 1'000);  // of 512 bytes
}

TEST_F(MirrorTest, TheSecondTimeOnlyWhatDiffersIsWritten) {
  put(0, std::string(4U << 20, 'a'));
  (void)mirror();
  EXPECT_EQ(mirror().written, 0U);
  put(3'000'000, "x");
  const Mirrored second = mirror();
  expect_equal();
  EXPECT_EQ(second.written, 64U << 10);
  EXPECT_GE(second.compared, 4U << 20);
}

TEST_F(MirrorTest, WhatBecameAHoleOrLongerFollows) {
  put(0, std::string(4U << 20, 'a'));
  (void)mirror();
  ASSERT_EQ(::fallocate(from_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2U << 20), 0);
  put(kSize, "longer now");
  (void)mirror();
  expect_equal();
  EXPECT_LE(blocks(to_), (3U << 20) / 512);
  ASSERT_EQ(::ftruncate(from_.get(), 1'000), 0);
  (void)mirror();
  expect_equal();
}

TEST_F(MirrorTest, ThePulseEndsIt) {
  put(0, std::string(4U << 20, 'a'));
  int calls = 0;
  const auto ended = mirror_file(from_.get(), to_.get(), [&calls]() -> Result<void> {
    if (++calls < 3) return {};
    return fail(Code::Cancelled, "enough");
  });
  EXPECT_EQ(ended.error().code, Code::Cancelled);
}

TEST_F(MirrorTest, BlocksAreSharedWhereTheFileSystemCanAndElseNothingIsTouched) {
  put(0, std::string(1U << 20, 'a'));
  const auto shared = share_blocks(from_.get(), to_.get());
  ASSERT_TRUE(shared.has_value()) << describe(shared.error());
  EXPECT_EQ(read_file(folder_ / "to", 2 * kSize)->size(), *shared ? kSize : 0U);
  (void)mirror();
  expect_equal();
}

}  // namespace
}  // namespace granary::base::os

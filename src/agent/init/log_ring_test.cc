#include "agent/init/log_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/init/testing/fake_log_file.h"

namespace granary::init {
namespace {

constexpr WallTime kTime{std::chrono::milliseconds(1'795'504'380'123)};
const std::string kStamp = "2026-11-24T07:13:00.123Z";

std::string header(std::uint64_t sequence) {
  std::string text(kHeaderBytes, ' ');
  format_header(sequence, std::span<char, kHeaderBytes>(text.data(), kHeaderBytes));
  return text;
}

class LogRingTest : public testing::Test {
 protected:
  // As a new run of init would: a ring over the same files.
  void reopen(std::uint64_t limit = kMinLogBytes) {
    ring_ = std::make_unique<LogRing>(first_, second_, limit);
    ring_->open();
  }
  void add(const std::string& text) {
    ring_->append(kTime, "out", text);
    ring_->flush();
  }
  std::size_t total() const { return first_.bytes.size() + second_.bytes.size(); }

  FakeLogFile first_;
  FakeLogFile second_;
  std::unique_ptr<LogRing> ring_;
};

TEST(LogTimeTest, IsRfc3339InUtcWithMilliseconds) {
  char text[kTimeBytes];
  format_time(kTime, text);
  EXPECT_EQ(std::string(text, kTimeBytes), kStamp);
  format_time(WallTime{}, text);
  EXPECT_EQ(std::string(text, kTimeBytes), "1970-01-01T00:00:00.000Z");
}

TEST(LogHeaderTest, IsReadBackAndNothingElseIs) {
  EXPECT_EQ(header(7), "#granary-log 00000000000000000007\n");
  EXPECT_EQ(parse_header(header(7)), 7u);
  EXPECT_EQ(parse_header(header(~std::uint64_t{0})), ~std::uint64_t{0});
  EXPECT_EQ(parse_header("#granary-log 0000000000000000000x\n"), 0u);
  EXPECT_EQ(parse_header("#granary-log 7\n"), 0u);
  EXPECT_EQ(parse_header(""), 0u);
}

TEST_F(LogRingTest, BeginsWithTheFirstFileAndNumberOne) {
  reopen();
  EXPECT_EQ(total(), 0u);
  add("hello");
  EXPECT_EQ(first_.bytes, header(1) + kStamp + " out hello\n");
  EXPECT_EQ(second_.bytes, "");
}

TEST_F(LogRingTest, WritesNothingBeforeItIsFlushed) {
  reopen();
  ring_->append(kTime, "err", "a");
  ring_->append(kTime, "sys", "b");
  EXPECT_EQ(first_.bytes, header(1));
  ring_->flush();
  EXPECT_EQ(first_.bytes, header(1) + kStamp + " err a\n" + kStamp + " sys b\n");
}

TEST_F(LogRingTest, TurnsToTheOtherFileAtHalfTheLimitAndNeverExceedsIt) {
  reopen();
  std::size_t largest = 0;
  for (int i = 0; i < 500; ++i) {
    add("line " + std::to_string(i) + std::string(static_cast<std::size_t>(i), '.'));
    largest = std::max(largest, total());
    ASSERT_LE(total(), kMinLogBytes);
    ASSERT_LE(std::max(first_.bytes.size(), second_.bytes.size()), kMinLogBytes / 2);
  }
  EXPECT_GT(largest, kMinLogBytes * 9 / 10);
  EXPECT_GT(parse_header(first_.bytes.substr(0, kHeaderBytes)), 2u);
  const bool first_is_newer = first_.bytes > second_.bytes;
  EXPECT_NE((first_is_newer ? first_ : second_).bytes.find("line 499."), std::string::npos);
}

TEST_F(LogRingTest, GoesOnWithTheNewerFile) {
  first_.bytes = header(4) + "old\n";
  second_.bytes = header(5) + "new\n";
  reopen();
  add("more");
  EXPECT_EQ(first_.bytes, header(4) + "old\n");
  EXPECT_EQ(second_.bytes, header(5) + "new\n" + kStamp + " out more\n");
}

TEST_F(LogRingTest, TakesAnInvalidFileForNone) {
  first_.bytes = "garbage that is long enough to be a header, but is not one\n";
  second_.bytes = header(5) + "new\n";
  reopen();
  add("more");
  EXPECT_TRUE(second_.bytes.ends_with("more\n"));
  add(std::string(kMaxLineBytes, 'x'));
  add(std::string(kMaxLineBytes, 'y'));
  EXPECT_TRUE(first_.bytes.starts_with(header(6)));
}

TEST_F(LogRingTest, EndsTheLineThatAKilledRunLeftOpen) {
  first_.bytes = header(1) + kStamp + " out half a li";
  reopen();
  add("next");
  EXPECT_EQ(first_.bytes, header(1) + kStamp + " out half a li\n" + kStamp + " out next\n");
}

TEST_F(LogRingTest, CutsFilesOfALargerLimit) {
  first_.bytes = header(1) + std::string(100'000, 'a') + "\n";
  second_.bytes = header(2) + std::string(100'000, 'b') + "\n";
  reopen();
  EXPECT_LE(total(), kMinLogBytes);
  add("next");
  EXPECT_LE(total(), kMinLogBytes);
  EXPECT_EQ(first_.bytes, header(3) + kStamp + " out next\n");
  EXPECT_TRUE(second_.bytes.ends_with("b\n"));
}

TEST_F(LogRingTest, DropsAndCountsWhatCannotBeWrittenAndSaysSoLater) {
  reopen();
  add("before");
  const std::string good = first_.bytes;
  first_.capacity = good.size() + 10;  // a part of the next line still fits
  add("lost 1");
  add("lost 2");
  EXPECT_EQ(ring_->dropped(), 2u);
  EXPECT_EQ(first_.bytes, good) << "the part that was written was not taken back";
  first_.capacity = 1 << 20;
  add("after");
  EXPECT_EQ(ring_->dropped(), 0u);
  EXPECT_EQ(first_.bytes,
            good + kStamp +
                " sys 2 lines could not be written here and are lost: No space left on device\n" +
                kStamp + " out after\n");
}

TEST_F(LogRingTest, CountsEachLineOfABatchThatIsLost) {
  reopen();
  add("before");
  first_.fail_with = EIO;
  for (int i = 0; i < 5; ++i) ring_->append(kTime, "out", "x");
  ring_->flush();
  EXPECT_EQ(ring_->dropped(), 5u);
}

TEST_F(LogRingTest, SurvivesThatNoFileCanBeBegun) {
  first_.fail_with = EIO;
  reopen();
  add("lost");
  add("lost too");
  EXPECT_EQ(ring_->dropped(), 2u);
  first_.fail_with = 0;
  add("back");
  EXPECT_TRUE(first_.bytes.starts_with(header(1) + kStamp + " sys 2 lines could not"));
  EXPECT_TRUE(first_.bytes.ends_with(" out back\n"));
}

TEST_F(LogRingTest, KeepsTheNewerFileWhenTheOtherCannotBeBegun) {
  reopen();
  add(std::string(kMaxLineBytes, 'a'));
  second_.fail_with = ENOSPC;
  add(std::string(kMaxLineBytes, 'b'));
  EXPECT_EQ(ring_->dropped(), 1u);
  EXPECT_NE(first_.bytes.find("aaa"), std::string::npos);
  second_.fail_with = 0;
  add("c");
  EXPECT_TRUE(first_.bytes.ends_with("out c\n") || second_.bytes.ends_with("out c\n"));
}

TEST_F(LogRingTest, AFirstFileThatAnotherWriterBeganIsGoneOnWith) {
  reopen();
  first_.bytes = header(1) + kStamp + " req from outside\n";
  add("one");
  EXPECT_EQ(first_.bytes, header(1) + kStamp + " req from outside\n" + kStamp + " out one\n");
}

TEST_F(LogRingTest, WhatAnotherWriterAppendedIsKeptAndCounted) {
  reopen();
  add("one");
  first_.bytes += kStamp + " req from outside\n";
  add("two");
  EXPECT_EQ(first_.bytes, header(1) + kStamp + " out one\n" + kStamp + " req from outside\n" +
                              kStamp + " out two\n");
}

}  // namespace
}  // namespace granary::init

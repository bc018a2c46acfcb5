#include "gateway/body_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing/world.h"
#include "gateway/limits.h"

namespace granary::gateway {
namespace {

using Progress = BodyReader::Progress;

struct Read {
  Progress progress = Progress::NeedMore;
  std::string body;
  std::string left;
};

Read read(BodyReader reader, std::string_view bytes, std::size_t step) {
  Read result;
  while (!bytes.empty() && result.progress == Progress::NeedMore) {
    const std::string_view piece = bytes.substr(0, step);
    std::size_t used = 0;
    do {
      BodyParts parts;
      const auto one = reader.read(piece.substr(used), parts);
      for (const std::string_view part : parts) result.body += part;
      result.progress = one.progress;
      used += one.consumed;
    } while (result.progress == Progress::NeedMore && used < piece.size());
    bytes.remove_prefix(used);
  }
  result.left = bytes;
  return result;
}

constexpr std::size_t kSteps[] = {std::string_view::npos, 1, 2, 5};

TEST(BodyReaderTest, TheFramingComesOffHoweverTheBytesArrive) {
  const std::string chunked = "3\r\nabc\r\n0a;ext=\"1\"\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\nrest";
  for (const std::size_t step : kSteps) {
    Read result = read(BodyReader(Framing::Chunked, 0), chunked, step);
    EXPECT_EQ(result.progress, Progress::Done);
    EXPECT_EQ(result.body, "abc0123456789");
    EXPECT_EQ(result.left, "rest");
    result = read(BodyReader(Framing::Length, 13), "abc0123456789rest", step);
    EXPECT_EQ(result.progress, Progress::Done);
    EXPECT_EQ(result.body, "abc0123456789");
    EXPECT_EQ(result.left, "rest");
    EXPECT_EQ(read(BodyReader(Framing::UntilClose, 0), "abc", step).body, "abc");
    // Beast's parser asserts here.
    EXPECT_EQ(read(BodyReader(Framing::Chunked, 0), "0\r\n\r\n", step).progress, Progress::Done);
  }
}

TEST(BodyReaderTest, ManySmallChunksFillThePartsMoreThanOnce) {
  std::string body;
  for (int i = 0; i < 100; ++i) body += "1\r\nx\r\n";
  const Read result = read(BodyReader(Framing::Chunked, 0), body + "0\r\n\r\n", body.size());
  EXPECT_EQ(result.body, std::string(100, 'x'));
}

TEST(BodyReaderTest, BadChunksAreRefused) {
  for (const std::string_view body : {"x\r\n",
                                      "\r\n",
                                      " 5\r\nhello\r\n0\r\n\r\n",
                                      "-5\r\nhello\r\n",
                                      "+5\r\nhello\r\n",
                                      "0x5\r\nhello\r\n0\r\n\r\n",
                                      "5\nhello\r\n0\r\n\r\n",
                                      "5\r\nhello0\r\n\r\n",
                                      "5\r\nhelloX\r\n0\r\n\r\n",
                                      "5\r\nhello\n0\r\n\r\n",
                                      "fffffffffffffffff\r\nx",
                                      "10000000000000000\r\nx",
                                      "5 5\r\nhello\r\n0\r\n\r\n",
                                      "5 \r\nhello\r\n0\r\n\r\n",
                                      "5;\n\r\nhello\r\n0\r\n\r\n",
                                      "5\rhello\r\n0\r\n\r\n",
                                      "0\r\nX : y\r\n\r\n",
                                      "0\r\nX: y\n\r\n",
                                      "0\r\n folded\r\n\r\n",
                                      "0\r\nnonsense\r\n\r\n",
                                      "0\r\n\rX",
                                      "5g\r\nhello\r\n0\r\n\r\n"}) {
    for (const std::size_t step : kSteps)
      EXPECT_EQ(read(BodyReader(Framing::Chunked, 0), body, step).progress, Progress::Bad) << body;
  }
}

TEST(BodyReaderTest, FramingThatNeverEndsIsRefused) {
  const auto progress = [](const std::string& body) {
    return read(BodyReader(Framing::Chunked, 0), body, 100).progress;
  };
  EXPECT_EQ(progress("1;" + std::string(kChunkLine, 'x')), Progress::Bad);
  EXPECT_EQ(progress(std::string(kChunkLine + 1, '0')), Progress::Bad);
  EXPECT_EQ(progress("0\r\nX: " + std::string(kTrailerBytes, 'x')), Progress::Bad);
}

TEST(BodyReaderTest, OnlyABodyWithoutFramingMayEndWithItsConnection) {
  EXPECT_TRUE(BodyReader().whole_at_end());
  EXPECT_TRUE(BodyReader(Framing::Length, 0).whole_at_end());
  EXPECT_TRUE(BodyReader(Framing::UntilClose, 0).whole_at_end());
  EXPECT_FALSE(BodyReader(Framing::Length, 1).whole_at_end());
  EXPECT_FALSE(BodyReader(Framing::Chunked, 0).whole_at_end());
}

TEST(BodyReaderTest, HowBytesAreCutNeverChangesWhatTheyMean) {
  base::testing::SeededRng rng(7);
  constexpr std::string_view kLetters = "0015\r\n\r\n;:xX a";
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes;
    for (std::uint64_t size = rng.below(40); size > 0; --size)
      bytes += kLetters[rng.below(kLetters.size())];
    const Read whole = read(BodyReader(Framing::Chunked, 0), bytes, bytes.size() + 1);
    const Read cut = read(BodyReader(Framing::Chunked, 0), bytes, 1 + rng.below(4));
    ASSERT_EQ(whole.progress, cut.progress) << bytes;
    ASSERT_EQ(whole.body, cut.body) << bytes;
  }
}

}  // namespace
}  // namespace granary::gateway

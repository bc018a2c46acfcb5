#include "release/encoding.h"

#include <brotli/decode.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "release/limits.h"

namespace granary::release {
namespace {

std::string unbrotli(const std::string& packed, std::size_t size) {
  std::string plain(size, '\0');
  const auto result =
      ::BrotliDecoderDecompress(packed.size(), reinterpret_cast<const std::uint8_t*>(packed.data()),
                                &size, reinterpret_cast<std::uint8_t*>(plain.data()));
  EXPECT_EQ(result, BROTLI_DECODER_RESULT_SUCCESS);
  plain.resize(size);
  return plain;
}

std::string gunzip(std::string packed, std::size_t size) {
  std::string plain(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  ::inflateEnd(&stream);
  return plain;
}

TEST(EncodingTest, EverySizeComesBackAsItWas) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{10'000},
                                 kBrotliBestUpTo + 1, kBrotliGoodUpTo + 1}) {
    std::string text;
    while (text.size() < size) text += "line " + std::to_string(text.size()) + " of a page\n";
    text.resize(size);
    EXPECT_EQ(unbrotli(brotli(text), size + 1), text) << size;
    EXPECT_EQ(gunzip(gzip(text), size), text) << size;
  }
}

TEST(EncodingTest, TheSameTextGivesTheSameBytes) {
  const std::string text(5000, 'x');
  EXPECT_EQ(brotli(text), brotli(text));
  EXPECT_EQ(gzip(text), gzip(text));
  EXPECT_LT(brotli(text).size(), 100U);
}

}  // namespace
}  // namespace granary::release

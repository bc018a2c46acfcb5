#include "release/encoding.h"

#include <brotli/encode.h>
#include <zlib.h>

#include "base/check.h"
#include "release/limits.h"

namespace granary::release {
namespace {

int brotli_quality(std::size_t size) {
  if (size <= kBrotliBestUpTo) return 11;
  if (size <= kBrotliGoodUpTo) return 9;
  return 5;
}

}  // namespace

std::string brotli(std::string_view bytes) {
  std::size_t size = ::BrotliEncoderMaxCompressedSize(bytes.size());
  std::string packed(size, '\0');
  const auto done =
      ::BrotliEncoderCompress(brotli_quality(bytes.size()), BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT,
                              bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                              &size, reinterpret_cast<std::uint8_t*>(packed.data()));
  ASSERT(done == BROTLI_TRUE);  // fails only for want of memory or room, and there is room
  packed.resize(size);
  return packed;
}

std::string gzip(std::string_view bytes) {
  constexpr int kGzipFrame = 16;  // added to the window's bits
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  ASSERT(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzipFrame,
                        kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(::deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

}  // namespace granary::release

#include "wire/zstd_frame.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kChunk = 128U << 10;

struct Free {
  void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ::ZSTD_freeCCtx(context); }
};

}  // namespace

struct ZstdReader::State {
  base::os::Fd in;
  base::Sha256 hash;
  std::unique_ptr<ZSTD_DCtx, Free> zstd{::ZSTD_createDCtx()};
  std::string packed = std::string(kChunk, '\0');
  std::string plain = std::string(kChunk, '\0');
  ZSTD_inBuffer input{packed.data(), 0, 0};
  std::uint64_t bytes = 0;
  enum class Frame { Open, Ended } frame = Frame::Open;

  // More of the packed bytes, where all are used up. False at the end of the file.
  Result<bool> refill() {
    if (input.pos < input.size) return true;
    TRY_ASSIGN(const ssize_t got, base::os::checked("read", "archive", [&] {
                 return ::read(in.get(), packed.data(), packed.size());
               }));
    input = {packed.data(), static_cast<std::size_t>(got), 0};
    hash.update({packed.data(), input.size});
    bytes += input.size;
    return got > 0;
  }
};

ZstdReader::ZstdReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZstdReader::~ZstdReader() = default;

Result<std::unique_ptr<ZstdReader>> ZstdReader::open(const std::string& path) {
  TRY_ASSIGN(base::os::Fd in, base::os::open_file(path, O_RDONLY | O_NOFOLLOW, 0));
  return on(std::move(in));
}

std::unique_ptr<ZstdReader> ZstdReader::on(base::os::Fd in) {
  auto state = std::make_unique<State>();
  INVARIANT(state->zstd);
  state->in = std::move(in);
  ::ZSTD_DCtx_setParameter(state->zstd.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  return std::unique_ptr<ZstdReader>(new ZstdReader(std::move(state)));
}

Result<std::string_view> ZstdReader::pull() {
  State& state = *state_;
  while (state.frame == State::Frame::Open) {
    TRY_ASSIGN(const bool more, state.refill());
    if (!more) return base::fail(Code::InvalidArgument, "it is cut short");
    ZSTD_outBuffer room{state.plain.data(), state.plain.size(), 0};
    const std::size_t left = ::ZSTD_decompressStream(state.zstd.get(), &room, &state.input);
    if (::ZSTD_isError(left) != 0)
      return base::fail(Code::InvalidArgument, "zstd says: {}", ::ZSTD_getErrorName(left));
    if (left == 0) state.frame = State::Frame::Ended;
    if (room.pos > 0) return std::string_view(state.plain.data(), room.pos);
  }
  TRY_ASSIGN(const bool more, state.refill());
  if (more) return base::fail(Code::InvalidArgument, "something follows its end");
  return std::string_view();
}

std::uint64_t ZstdReader::packed_bytes() const { return state_->bytes; }
std::string ZstdReader::packed_sha256() { return state_->hash.finish(); }

struct ZstdWriter::State {
  base::os::Fd out;
  base::Sha256 hash;
  std::unique_ptr<ZSTD_CCtx, Free> zstd{::ZSTD_createCCtx()};
  std::string packed = std::string(kChunk, '\0');
  std::uint64_t bytes = 0;

  Result<void> compress(std::string_view plain, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{plain.data(), plain.size(), 0};
    for (;;) {
      ZSTD_outBuffer room{packed.data(), packed.size(), 0};
      const std::size_t left = ::ZSTD_compressStream2(zstd.get(), &room, &in, directive);
      if (::ZSTD_isError(left) != 0)
        return base::fail(Code::Internal, "zstd: {}", ::ZSTD_getErrorName(left));
      const std::string_view piece(packed.data(), room.pos);
      TRY(base::os::write_all(out.get(), piece));
      hash.update(piece);
      bytes += room.pos;
      const bool done = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
      if (done) return {};
    }
  }
};

ZstdWriter::ZstdWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZstdWriter::~ZstdWriter() = default;

Result<std::unique_ptr<ZstdWriter>> ZstdWriter::create(const std::string& path, int level) {
  TRY_ASSIGN(base::os::Fd out, base::os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return on(std::move(out), level);
}

std::unique_ptr<ZstdWriter> ZstdWriter::on(base::os::Fd out, int level) {
  auto state = std::make_unique<State>();
  INVARIANT(state->zstd);
  state->out = std::move(out);
  ::ZSTD_CCtx_setParameter(state->zstd.get(), ZSTD_c_compressionLevel, level);
  ::ZSTD_CCtx_setParameter(state->zstd.get(), ZSTD_c_checksumFlag, 1);
  return std::unique_ptr<ZstdWriter>(new ZstdWriter(std::move(state)));
}

Result<void> ZstdWriter::write(std::string_view plain) {
  return state_->compress(plain, ZSTD_e_continue);
}

Result<ZstdWriter::Finished> ZstdWriter::finish() {
  TRY(state_->compress({}, ZSTD_e_end));
  return Finished{state_->bytes, state_->hash.finish()};
}

Result<void> ZstdWriter::sync() {
  TRY(base::os::checked("fdatasync", "archive", [&] { return ::fdatasync(state_->out.get()); }));
  return {};
}

base::os::Fd ZstdWriter::take_file() { return std::move(state_->out); }

}  // namespace granary::wire

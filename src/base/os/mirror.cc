#include "base/os/mirror.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

constexpr std::uint64_t kChunk = 1U << 20;
// What is written where something differs: about what a disk writes as fast as one block.
constexpr std::size_t kPiece = 64U << 10;

// Where the next data begins, or the hole after it; the file's size when there is none.
Result<std::uint64_t> seek(int file, std::uint64_t from, int whence, std::uint64_t size) {
  const off_t found = ::lseek(file, static_cast<off_t>(from), whence);
  if (found < 0 && errno == ENXIO) return size;
  if (found < 0) return std::unexpected(from_errno(errno, "lseek", "holes"));
  return std::min(static_cast<std::uint64_t>(found), size);
}

class Mirror final {
 public:
  Mirror(int from, int to, std::uint64_t size) : from_(from), to_(to), size_(size) {}

  Result<Mirrored> run(const std::function<Result<void>()>& pulse) {
    for (std::uint64_t at = 0; at < size_;) {
      TRY_ASSIGN(const std::uint64_t data, seek(from_, at, SEEK_DATA, size_));
      TRY(clear(at, data));
      TRY_ASSIGN(const std::uint64_t hole, seek(from_, data, SEEK_HOLE, size_));
      for (at = data; at < hole; at += std::min(kChunk, hole - at)) {
        if (pulse) TRY(pulse());
        TRY(chunk(at, std::min(kChunk, hole - at)));
      }
      at = hole;
    }
    return done_;
  }

 private:
  // Makes it a hole. Asked first: a file of holes has them already.
  Result<void> clear(std::uint64_t from, std::uint64_t end) const {
    if (from >= end) return {};
    TRY_ASSIGN(const std::uint64_t data, seek(to_, from, SEEK_DATA, size_));
    if (data >= end) return {};
    TRY(checked("fallocate", "mirror", [&] {
      return ::fallocate(to_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                         static_cast<off_t>(end - from));
    }));
    return {};
  }

  Result<void> chunk(std::uint64_t at, std::uint64_t length) {
    TRY_ASSIGN(const std::uint64_t data, seek(to_, at, SEEK_DATA, size_));
    if (data >= at + length) return copy(at, length);
    TRY_ASSIGN(const std::size_t got, read(from_, ours_, at, length));
    TRY_ASSIGN(const std::size_t have, read(to_, theirs_, at, got));
    std::memset(theirs_.data() + have, 0, got - have);
    done_.compared += got;
    for (std::size_t i = 0; i < got; i += kPiece) {
      const std::size_t piece = std::min(kPiece, got - i);
      if (std::memcmp(ours_.data() + i, theirs_.data() + i, piece) == 0) continue;
      TRY(write(at + i, std::string_view(ours_).substr(i, piece)));
    }
    return {};
  }

  // Within the kernel.
  Result<void> copy(std::uint64_t at, std::uint64_t length) {
    auto in = static_cast<off_t>(at);
    auto out = in;
    while (length > 0) {
      TRY_ASSIGN(const ssize_t copied, checked("copy_file_range", "mirror", [&] {
                   return ::copy_file_range(from_, &in, to_, &out, length, 0);
                 }));
      if (copied == 0) return {};  // it became shorter
      length -= static_cast<std::uint64_t>(copied);
      done_.written += static_cast<std::uint64_t>(copied);
    }
    return {};
  }

  static Result<std::size_t> read(int file, std::string& into, std::uint64_t at,
                                  std::uint64_t length) {
    std::size_t have = 0;
    while (have < length) {
      TRY_ASSIGN(const ssize_t got, checked("pread", "mirror", [&] {
                   return ::pread(file, into.data() + have, length - have,
                                  static_cast<off_t>(at + have));
                 }));
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    return have;
  }

  Result<void> write(std::uint64_t at, std::string_view bytes) {
    done_.written += bytes.size();
    while (!bytes.empty()) {
      TRY_ASSIGN(const ssize_t put, checked("pwrite", "mirror", [&] {
                   return ::pwrite(to_, bytes.data(), bytes.size(), static_cast<off_t>(at));
                 }));
      bytes.remove_prefix(static_cast<std::size_t>(put));
      at += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  int from_;
  int to_;
  std::uint64_t size_;
  Mirrored done_;
  std::string ours_ = std::string(kChunk, '\0');
  std::string theirs_ = std::string(kChunk, '\0');
};

}  // namespace

Result<bool> share_blocks(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) return true;
  if (errno == EOPNOTSUPP || errno == EXDEV || errno == EINVAL || errno == ENOTTY) return false;
  return std::unexpected(from_errno(errno, "ioctl", "FICLONE"));
}

Result<Mirrored> mirror_file(int from, int to, const std::function<Result<void>()>& pulse) {
  struct stat status{};
  TRY(checked("fstat", "mirror", [&] { return ::fstat(from, &status); }));
  TRY(checked("ftruncate", "mirror", [&] { return ::ftruncate(to, status.st_size); }));
  return Mirror(from, to, static_cast<std::uint64_t>(status.st_size)).run(pulse);
}

}  // namespace granary::base::os

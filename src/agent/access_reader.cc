#include "agent/access_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "agent/limits.h"
#include "base/os/file.h"
#include "base/os/syscall.h"
#include "base/text.h"

namespace granary::agent {
namespace {

using base::Result;

constexpr std::uint64_t kOffsetBits = 32;
constexpr std::uint64_t kMask = (1ULL << kOffsetBits) - 1;

struct AccessFile {
  std::uint64_t number = 0;
  std::uint64_t size = 0;
  base::os::Fd fd;
};

// Tells a file from every other of its name, also from one that has got its inode number since.
Result<AccessFile> identify(base::os::Fd fd) {
  struct statx status{};
  TRY(base::os::checked("statx", "access log", [&] {
    return ::statx(fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status);
  }));
  const auto born = static_cast<std::uint64_t>(status.stx_btime.tv_sec) * 1'000'000'000 +
                    status.stx_btime.tv_nsec;
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15ULL;  // 2^64 / the golden ratio
  const std::uint64_t mixed = (status.stx_ino * kSpread ^ born) * kSpread;
  return AccessFile{mixed >> 33, status.stx_size, std::move(fd)};
}

// The older first. Both are opened before either is read, so that one that is renamed meanwhile is
// not read twice.
std::vector<AccessFile> open_both(const std::string& path) {
  std::vector<AccessFile> files;
  for (const std::string& name : {path, path + ".1"}) {
    auto fd = base::os::open_file(name, O_RDONLY | O_NOFOLLOW, 0);
    auto file = fd ? identify(*std::move(fd)) : std::unexpected(fd.error());
    if (!file || (!files.empty() && files[0].number == file->number)) continue;
    files.insert(files.begin(), *std::move(file));
  }
  return files;
}

}  // namespace

Result<LogLines> read_access_log(const wire::Paths& paths, const base::AccountId& account,
                                 std::uint32_t ordinal, std::uint64_t cursor) {
  LogLines found;
  found.cursor = cursor;
  auto files = open_both(paths.access_log(account, ordinal));
  const std::uint64_t number = cursor >> kOffsetBits;
  const auto last = std::ranges::find_if(files, [&](const AccessFile& file) {
    return file.number == number && (cursor & kMask) <= file.size;
  });
  const bool known = cursor != 0 && last != files.end();
  std::size_t room = kMaxLogChunk;
  for (auto file = known ? last : files.begin(); file != files.end() && room > 0; ++file) {
    std::uint64_t offset = known && file == last ? cursor & kMask : 0;
    TRY_ASSIGN(const std::string block, base::os::read_at(file->fd.get(), offset, room));
    const std::size_t whole = block.rfind('\n') + 1;  // 0: no line is
    for (std::size_t at = 0; at < whole;) {
      const std::size_t end = block.find('\n', at);
      found.lines.push_back(base::as_utf8(block.substr(at, end - at)));
      at = end + 1;
    }
    offset += whole;
    room -= block.size();
    found.cursor = file->number << kOffsetBits | offset;
    if (offset < file->size) break;  // the rest of this one is next
  }
  return found;
}

}  // namespace granary::agent

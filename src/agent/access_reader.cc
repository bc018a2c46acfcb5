#include "agent/access_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "agent/limits.h"
#include "base/os/file.h"
#include "base/text.h"

namespace granary::agent {
namespace {

using base::Result;

constexpr std::uint64_t kOffsetBits = 32;
constexpr std::uint64_t kMask = (1ULL << kOffsetBits) - 1;
constexpr std::uint64_t kNumberMask = kMask >> 1;  // a cursor is a positive number of 64 bits

struct AccessFile {
  std::uint64_t number = 0;
  std::uint64_t size = 0;
  base::os::Fd fd;
};

// The older first. Both are opened before either is read, so that one that is renamed meanwhile is
// not read twice.
std::vector<AccessFile> open_both(const std::string& path) {
  std::vector<AccessFile> files;
  for (const std::string& name : {path, path + ".1"}) {
    auto fd = base::os::open_file(name, O_RDONLY | O_NOFOLLOW, 0);
    struct stat status{};
    if (!fd || ::fstat(fd->get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const std::uint64_t number = status.st_ino & kNumberMask;
    if (!files.empty() && files[0].number == number) continue;
    files.insert(files.begin(),
                 {number, static_cast<std::uint64_t>(status.st_size), std::move(*fd)});
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

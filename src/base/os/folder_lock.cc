#include "base/os/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>
#include <sstream>

#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

constexpr std::size_t kLongestLocks = 4U << 20;
constexpr std::size_t kLongestCommand = 4096;

std::string after_slash(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "granary up": what else it was told may be nobody's business.
std::string command_of(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/cmdline", pid), kLongestCommand);
  if (!text || text->empty()) return {};
  const std::string program = text->c_str();
  const std::size_t next = program.size() + 1;
  if (next >= text->size()) return after_slash(program);
  return after_slash(program) + " " + std::string(text->c_str() + next);
}

std::chrono::nanoseconds start_of(pid_t pid) {
  const auto status = process_status(pid);
  const long ticks = ::sysconf(_SC_CLK_TCK);
  if (!status || ticks <= 0) return {};
  constexpr std::uint64_t kSecond = 1'000'000'000;
  return std::chrono::nanoseconds(status->identity.started *
                                  (kSecond / static_cast<std::uint64_t>(ticks)));
}

}  // namespace

Result<Fd> hold_folder(const std::string& path, Hold hold) {
  TRY_ASSIGN(Fd folder, open_file(path, O_RDONLY | O_DIRECTORY, 0));
  const int how = (hold == Hold::Alone ? LOCK_EX : LOCK_SH) | LOCK_NB;
  const auto held = checked("flock", path, [&] { return ::flock(folder.get(), how); });
  if (held) return folder;
  if (held.error().code != Code::Unavailable) return std::unexpected(held.error());
  return fail(Code::Conflict, "{} is held by another process", path);
}

pid_t find_flock(std::string_view locks, std::string_view device, std::uint64_t inode) {
  std::istringstream lines{std::string(locks)};
  pid_t by_inode = 0;
  for (std::string line; std::getline(lines, line);) {
    // 1: FLOCK  ADVISORY  WRITE 1234 fe:01:131 0 EOF; one that waits has -> before FLOCK.
    std::istringstream fields(line);
    std::string number, kind, mode, access, place;
    pid_t pid = 0;
    if (!(fields >> number >> kind >> mode >> access >> pid >> place) || kind != "FLOCK") continue;
    const std::size_t colon = place.rfind(':');
    if (colon == std::string::npos || place.substr(colon + 1) != std::to_string(inode)) continue;
    if (place.substr(0, colon) == device) return pid;
    by_inode = pid;
  }
  return by_inode;
}

std::optional<FolderHolder> folder_holder(const std::string& path) {
  struct stat status{};
  const auto locks = read_file("/proc/locks", kLongestLocks);
  if (!locks || ::stat(path.c_str(), &status) != 0) return std::nullopt;
  const pid_t pid =
      find_flock(*locks, fmt::format("{:02x}:{:02x}", major(status.st_dev), minor(status.st_dev)),
                 status.st_ino);
  if (pid <= 0) return std::nullopt;
  return FolderHolder{.pid = pid, .command = command_of(pid), .started = start_of(pid)};
}

}  // namespace granary::base::os

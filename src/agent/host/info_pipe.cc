#include "agent/host/info_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string>

#include "base/os/process.h"
#include "base/os/syscall.h"

namespace granary::agent {

using base::Code;
using base::Result;

Result<InfoPipe> make_info_pipe() {
  int ends[2];
  TRY(base::os::checked("pipe2", "info", [&] { return ::pipe2(ends, O_CLOEXEC); }));
  return InfoPipe{base::os::Fd(ends[0]), base::os::Fd(ends[1])};
}

std::optional<pid_t> child_pid_in(std::string_view text) {
  constexpr std::string_view kKey = "\"child-pid\":";
  const std::size_t key = text.find(kKey);
  // The whole document, not only its first member: bubblewrap writes it in pieces, and dies of
  // SIGPIPE, its child left waiting for ever, when the pipe is closed between two of them.
  if (key == std::string_view::npos || text.find('}') == std::string_view::npos)
    return std::nullopt;
  text.remove_prefix(key + kKey.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || pid <= 0) return std::nullopt;
  return pid;
}

Result<pid_t> read_child_pid(const base::os::Fd& reading, std::chrono::milliseconds limit) {
  std::string text;
  for (;;) {
    // A pipe that has something to read, or no writer, is ready just as an ended process is.
    TRY(base::os::wait_for_end(reading.get(), limit));
    char block[512];
    TRY_ASSIGN(const ssize_t got, base::os::checked("read", "info", [&] {
                 return ::read(reading.get(), block, sizeof block);
               }));
    text.append(block, static_cast<std::size_t>(got));
    if (const auto pid = child_pid_in(text)) return *pid;
    if (got == 0) return base::fail(Code::NotFound, "the sandbox ended before it was made");
  }
}

}  // namespace granary::agent

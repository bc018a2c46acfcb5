#include "base/os/inherited.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "base/os/syscall.h"
#include "base/os/system.h"

namespace granary::base::os {
namespace {

constexpr int kFirst = 3;    // as the protocol has it
constexpr int kMost = 1000;  // below the usual soft limit on descriptors
constexpr const char* kVariables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};

std::optional<long> number(std::string_view text) {
  long value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

Failure wrong(std::string_view what) {
  return fail_with_advice(Code::InvalidArgument,
                          fmt::format("the descriptors passed to this process: {}", what),
                          "Name each socket (FileDescriptorName= in a systemd socket unit)");
}

Result<InheritedFds> take(int count, std::string_view names) {
  InheritedFds taken;
  for (int fd = kFirst; fd < kFirst + count; ++fd) {
    const std::string name(names.substr(0, names.find(':')));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    TRY(checked("fcntl", name, [&] { return ::fcntl(fd, F_SETFD, FD_CLOEXEC); }));
    if (name.empty()) return wrong("one has no name");
    if (!taken.emplace(name, Fd(fd)).second)
      return wrong(fmt::format("two are named '{}'", log::escape(name)));
  }
  if (!names.empty()) return wrong("more names than descriptors");
  return taken;
}

}  // namespace

Result<InheritedFds> take_inherited() {
  const auto pid = environment("LISTEN_PID");
  const auto fds = environment("LISTEN_FDS");
  const auto names = environment("LISTEN_FDNAMES");
  for (const char* variable : kVariables) ::unsetenv(variable);
  // Without these, or meant for whoever started us.
  if (!pid || !fds || number(*pid) != ::getpid()) return InheritedFds();
  const auto count = number(*fds);
  if (!count || *count < 0 || *count > kMost)
    return wrong("LISTEN_FDS is no number of descriptors");
  return take(static_cast<int>(*count), names.value_or(""));
}

}  // namespace granary::base::os

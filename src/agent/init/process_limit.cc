#include "agent/init/process_limit.h"

#include <sys/epoll.h>

#include <array>
#include <charconv>
#include <string_view>

namespace granary::init {
namespace {

// Of version 2, and of version 1.
constexpr const char* kGroups[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/pids"};
// The sandbox program that waits outside, and init: the agent adds them to the limit.
constexpr std::uint64_t kNotTheApps = 2;

// The first number in a short file.
std::uint64_t number_in(int fd) {
  std::array<char, 256> bytes;
  const long size = sys::DescriptorFile(fd).read_at(bytes, 0);
  std::string_view text(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t digits = text.find_first_of("0123456789");
  if (digits == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + digits, text.data() + text.size(), number);
  return number;
}

}  // namespace

void ProcessLimit::start(Poller& poller) {
  for (const char* group : kGroups) {
    const sys::Fd folder(sys::open_folder(-1, group));
    if (!folder.open()) continue;
    events_.reset(sys::open_to_read(folder.get(), "pids.events"));
    limit_.reset(sys::open_to_read(folder.get(), "pids.max"));
    if (events_.open() && limit_.open()) break;
  }
  if (!events_.open() || !limit_.open()) return;
  (void)number_in(events_.get());  // the kernel tells of what changes after it was read
  if (!poller.watch(events_.get(), EPOLLPRI, *this)) events_.reset();
}

void ProcessLimit::on_events(std::uint32_t) {
  if (number_in(events_.get()) == 0) return;
  const std::uint64_t limit = number_in(limit_.get());
  events_.reset();
  owner_.on_process_limit(limit > kNotTheApps ? limit - kNotTheApps : 0);
}

}  // namespace granary::init

// What belongs to the host: its folders, and what /proc and /sys say of it or let be set.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "the host";

Answer kernel_addresses() {
  for (const std::string& line : lines_of(read_text("/proc/kallsyms", 64 << 10))) {
    const std::size_t end = line.find(' ');
    if (end != std::string::npos && line.substr(0, end).find_first_not_of('0') != std::string::npos)
      return broken("/proc/kallsyms tells where the kernel lies");
  }
  return held("/proc/kallsyms shows no address");
}

// The frame that a page of ours lies in; root alone may know it (rowhammer, speculation).
Answer page_frames() {
  constexpr std::uint64_t kFrameMask = (1ULL << 55) - 1;
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refused("open /proc/self/pagemap");
  char mine = 'x';
  const long page = ::sysconf(_SC_PAGESIZE);
  const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(&mine) /
                                     static_cast<std::uintptr_t>(page) * 8);
  std::uint64_t entry = 0;
  const ssize_t count = ::pread(fd, &entry, sizeof entry, at);
  ::close(fd);
  if (count != sizeof entry) return refused("read /proc/self/pagemap");
  return (entry & kFrameMask) == 0 ? held("pagemap shows no frame") : broken("pagemap: a frame");
}

// A trigger on the pressure of the whole machine: a thread of the kernel works for it.
Answer pressure_trigger() {
  constexpr std::string_view kTrigger = "some 150000 2000000";
  const int fd = ::open("/proc/pressure/cpu", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return refused("open /proc/pressure/cpu");
  const ssize_t count = ::write(fd, kTrigger.data(), kTrigger.size() + 1);
  const int error = errno;
  ::close(fd);
  errno = error;
  return judge("write a trigger into /proc/pressure/cpu", count);
}

// What a silo has there: a folder of its own, and data of packages that programs in /usr link to.
Answer contents_of_var() {
  for (const std::string& name : names_in("/var")) {
    if (name != "tmp" && name != "lib") return broken("/var holds " + name);
  }
  constexpr std::array<std::string_view, 4> kPackages = {"aspell", "ghostscript", "mecab", "texmf"};
  for (const std::string& name : names_in("/var/lib")) {
    if (std::ranges::find(kPackages, name) == kPackages.end())
      return broken("/var/lib holds " + name);
  }
  return held("/var holds what a silo needs");
}

// Beside the own control groups, which runtimes read their limits from.
Answer contents_of_sys() {
  for (const char* folder : {"/sys", "/sys/fs"}) {
    for (const std::string& name : names_in(folder)) {
      if (name != "fs" && name != "cgroup") return broken(std::string(folder) + " holds " + name);
    }
  }
  return held("/sys holds the own control groups");
}

constexpr Attempt kAttempts[] = {
    {"host-shadow", kTopic, "read the host's passwords",
     [](const Knowledge&) { return try_read("/etc/shadow"); }},
    {"host-root-home", kTopic, "list root's home",
     [](const Knowledge&) { return try_list("/root"); }},
    {"host-homes", kTopic, "list the homes of people",
     [](const Knowledge&) { return try_list("/home"); }},
    {"host-var", kTopic, "list what the host's services keep",
     [](const Knowledge&) { return contents_of_var(); }},
    {"host-boot", kTopic, "list the host's kernels",
     [](const Knowledge&) { return try_list("/boot"); }},
    {"host-opt", kTopic, "list what else is installed",
     [](const Knowledge&) { return try_list("/opt"); }},
    {"host-ssh-keys", kTopic, "list the host's SSH keys",
     [](const Knowledge&) { return try_list("/etc/ssh"); }},
    {"host-machine-id", kTopic, "read the host's identity",
     [](const Knowledge&) { return try_read("/etc/machine-id"); }},
    {"host-resolver", kTopic, "read which name servers the host asks",
     [](const Knowledge&) { return try_read("/etc/resolv.conf"); }},
    {"proc-kcore", kTopic, "read the kernel's memory as a core file",
     [](const Knowledge&) { return try_read("/proc/kcore"); }},
    {"proc-kallsyms", kTopic, "learn where the kernel lies in memory",
     [](const Knowledge&) { return kernel_addresses(); }},
    {"proc-pagemap", kTopic, "learn in which frames of memory own pages lie",
     [](const Knowledge&) { return page_frames(); }},
    {"proc-kmsg", kTopic, "read the kernel's log from /proc",
     [](const Knowledge&) { return try_read("/proc/kmsg"); }},
    {"proc-slabinfo", kTopic, "read the kernel's allocations",
     [](const Knowledge&) { return try_read("/proc/slabinfo"); }},
    {"proc-timer-list", kTopic, "read all timers of the host",
     [](const Knowledge&) { return try_read("/proc/timer_list"); }},
    {"proc-sysrq", kTopic, "open the door to sysrq commands",
     [](const Knowledge&) { return try_setting("/proc/sysrq-trigger"); }},
    {"proc-hostname", kTopic, "set the host name through /proc/sys",
     [](const Knowledge&) { return try_setting("/proc/sys/kernel/hostname"); }},
    {"proc-core-pattern", kTopic, "name a program that the host starts for a crash",
     [](const Knowledge&) { return try_setting("/proc/sys/kernel/core_pattern"); }},
    {"proc-modprobe", kTopic, "name a program that the host starts for a module",
     [](const Knowledge&) { return try_setting("/proc/sys/kernel/modprobe"); }},
    {"proc-drop-caches", kTopic, "drop the host's caches",
     [](const Knowledge&) { return try_setting("/proc/sys/vm/drop_caches"); }},
    {"proc-overcommit", kTopic, "change how the host promises memory",
     [](const Knowledge&) { return try_setting("/proc/sys/vm/overcommit_memory"); }},
    {"proc-userns-limit", kTopic, "change how many user namespaces there may be",
     [](const Knowledge&) { return try_setting("/proc/sys/user/max_user_namespaces"); }},
    {"proc-binfmt", kTopic, "register an interpreter for the host's programs",
     [](const Knowledge&) { return try_write("/proc/sys/fs/binfmt_misc/register"); }},
    {"proc-irq", kTopic, "move the host's interrupts to other cores",
     [](const Knowledge&) { return try_setting("/proc/irq/default_smp_affinity"); }},
    {"proc-pressure", kTopic, "set a trigger on the pressure of the whole machine",
     [](const Knowledge&) { return pressure_trigger(); }},
    {"sys-contents", kTopic, "find more in /sys than the own control groups",
     [](const Knowledge&) { return contents_of_sys(); }},
    {"sys-list", kTopic, "list the host's devices in /sys",
     [](const Knowledge&) { return try_list("/sys/class"); }},
    {"sys-power", kTopic, "put the host to sleep",
     [](const Knowledge&) { return try_write("/sys/power/state"); }},
    {"sys-uevent-helper", kTopic, "name a program that the host starts for an event",
     [](const Knowledge&) { return try_write("/sys/kernel/uevent_helper"); }},
    {"sys-debug", kTopic, "list the kernel's debug files",
     [](const Knowledge&) { return try_list("/sys/kernel/debug"); }},
    {"sys-tracing", kTopic, "list the kernel's traces",
     [](const Knowledge&) { return try_list("/sys/kernel/tracing"); }},
    {"sys-firmware", kTopic, "list the firmware's variables",
     [](const Knowledge&) { return try_list("/sys/firmware"); }},
    {"sys-dmi", kTopic, "read the machine's serial number",
     [](const Knowledge&) { return try_list("/sys/class/dmi/id"); }},
    {"sys-bpf", kTopic, "list pinned programs of the kernel",
     [](const Knowledge&) { return try_list("/sys/fs/bpf"); }},
};

}  // namespace

std::span<const Attempt> host_attempts() { return kAttempts; }

}  // namespace granary::walls

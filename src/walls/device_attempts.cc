// Devices: those of the host's /dev, and nodes made on the account's own disk.
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "devices";

Answer make_node(const std::string& path, mode_t kind, dev_t device) {
  ::unlink(path.c_str());
  const int result = ::mknod(path.c_str(), kind | 0600, device);
  if (result != 0) return refused("mknod");
  Answer answer = try_open(path, O_RDWR);
  ::unlink(path.c_str());
  return broken("mknod: done, " + answer.text);
}

// Own, as the kernel numbers it, and those after it.
Answer open_loop_devices() {
  for (int number = 0; number < 256; ++number) {
    const std::string path = "/dev/loop" + std::to_string(number);
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) return broken("opened " + path);
  }
  return refused("open /dev/loop0 to /dev/loop255");
}

// Of a file system that has nothing to freeze, so that the error tells privilege from ability.
Answer freeze() {
  const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return inapplicable("there is no /proc");
  return judge_privileged("ioctl FIFREEZE", ::ioctl(fd, FIFREEZE, 0));
}

// Claims no bits, so nothing changes for whoever may do it.
Answer credit_entropy() {
  const int fd = ::open("/dev/urandom", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return refused("open /dev/urandom");
  int bits = 0;
  return judge_privileged("ioctl RNDADDTOENTCNT", ::ioctl(fd, RNDADDTOENTCNT, &bits));
}

// Types into a terminal, as if a person had. Without one there is nobody to fool.
Answer type_into_terminal() {
  const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return refused("open /dev/tty");
  const char key = ' ';
  return judge("ioctl TIOCSTI", ::ioctl(fd, TIOCSTI, &key));
}

Answer foreign_terminals() {
  for (const std::string& name : names_in("/dev/pts")) {
    if (name != "ptmx") return broken("/dev/pts/" + name + " is not ours");
  }
  return held("/dev/pts shows none");
}

// All silos and the host share the node: a time set on it is a message, readable by all.
Answer mark_shared_device() {
  return judge("utimensat /dev/null", ::utimensat(AT_FDCWD, "/dev/null", nullptr, 0));
}

Answer change_device_mode() {
  struct stat status{};
  if (::stat("/dev/null", &status) != 0) return inapplicable("there is no /dev/null");
  return judge("chmod /dev/null", ::chmod("/dev/null", status.st_mode & 07777));
}

constexpr Attempt kAttempts[] = {
    {"dev-mem", kTopic, "open the machine's memory",
     [](const Knowledge&) { return try_open("/dev/mem", O_RDONLY); }},
    {"dev-port", kTopic, "open the machine's ports",
     [](const Knowledge&) { return try_open("/dev/port", O_RDONLY); }},
    {"dev-kmsg", kTopic, "open the kernel's log",
     [](const Knowledge&) { return try_open("/dev/kmsg", O_RDWR); }},
    {"dev-disk", kTopic, "open the host's disk",
     [](const Knowledge& known) {
       return try_open("/dev/" + (known.has("disk") ? known.get("disk") : "sda"), O_RDONLY);
     }},
    {"dev-loop", kTopic, "open the loop devices that carry the accounts' disks",
     [](const Knowledge&) { return open_loop_devices(); }},
    {"dev-loop-control", kTopic, "open what makes loop devices",
     [](const Knowledge&) { return try_open("/dev/loop-control", O_RDWR); }},
    {"dev-mapper", kTopic, "open what makes mapped devices",
     [](const Knowledge&) { return try_open("/dev/mapper/control", O_RDWR); }},
    {"dev-fuse", kTopic, "open what serves file systems",
     [](const Knowledge&) { return try_open("/dev/fuse", O_RDWR); }},
    {"dev-kvm", kTopic, "open what runs virtual machines",
     [](const Knowledge&) { return try_open("/dev/kvm", O_RDWR); }},
    {"dev-tun", kTopic, "open what makes network interfaces",
     [](const Knowledge&) { return try_open("/dev/net/tun", O_RDWR); }},
    {"dev-vsock", kTopic, "open what talks to the machine's host",
     [](const Knowledge&) { return try_open("/dev/vsock", O_RDWR); }},
    {"dev-console", kTopic, "open the machine's console",
     [](const Knowledge&) { return try_open("/dev/console", O_WRONLY); }},
    {"dev-serial", kTopic, "open the machine's serial line",
     [](const Knowledge&) { return try_open("/dev/ttyS0", O_RDWR); }},
    {"dev-hwrng", kTopic, "open the machine's random numbers",
     [](const Knowledge&) { return try_open("/dev/hwrng", O_RDONLY); }},
    {"dev-uinput", kTopic, "open what invents keyboards",
     [](const Knowledge&) { return try_open("/dev/uinput", O_RDWR); }},
    {"dev-terminals", kTopic, "see terminals of others",
     [](const Knowledge&) { return foreign_terminals(); }},
    {"dev-type", kTopic, "type into a terminal",
     [](const Knowledge&) { return type_into_terminal(); }},
    {"dev-null-mark", kTopic, "leave a mark on a device that all silos share",
     [](const Knowledge&) { return mark_shared_device(); }},
    {"dev-null-mode", kTopic, "set the mode of a device that all silos share",
     [](const Knowledge&) { return change_device_mode(); }},
    {"entropy-credit", kTopic, "tell the kernel how random its numbers are",
     [](const Knowledge&) { return credit_entropy(); }},
    {"freeze", kTopic, "freeze a file system", [](const Knowledge&) { return freeze(); }},
    {"mknod-block", kTopic, "make a node of the first loop device on the own disk",
     [](const Knowledge&) { return make_node("/data/granary-attack-b", S_IFBLK, makedev(7, 0)); }},
    {"mknod-char", kTopic, "make a node of the machine's memory on the own disk",
     [](const Knowledge&) { return make_node("/data/granary-attack-c", S_IFCHR, makedev(1, 1)); }},
    {"mknod-tmp", kTopic, "make a node of a loop device in /tmp",
     [](const Knowledge&) { return make_node("/tmp/granary-attack-b", S_IFBLK, makedev(7, 0)); }},
};

}  // namespace

std::span<const Attempt> device_attempts() { return kAttempts; }

}  // namespace granary::walls

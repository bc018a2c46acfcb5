// Ways around the walls of the file system: climbing, links, handles, descriptors, other roots.
// The goal is one that is known to be there: a file of the host that everybody on it may read.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "ways out of the file system";
constexpr const char* kLink = "/data/granary-attack-link";

std::string canary(const Knowledge& known) {
  return known.has("canary") ? known.get("canary") : known.data("/control/operator.token");
}

Answer through_link(const std::string& target) {
  ::unlink(kLink);
  if (::symlink(target.c_str(), kLink) != 0) return refused("symlink");
  Answer answer = try_read(kLink);
  ::unlink(kLink);
  return answer;
}

// The file itself lies outside of /data, so a second name for it would keep it alive there.
Answer hard_link(const char* target) {
  ::unlink(kLink);
  if (::link(target, kLink) != 0) return refused(std::string("link ") + target);
  ::unlink(kLink);
  return broken(std::string("linked ") + target);
}

Answer open_at(const Knowledge& known, std::uint64_t resolve) {
  const int folder = ::open("/data", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return inapplicable("there is no /data");
  open_how how{};
  how.flags = O_RDONLY;
  how.resolve = resolve;
  const std::string path = "../../../../../../../.." + canary(known);
  return judge("openat2 " + path, ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

Answer open_by_handle() {
  struct {
    file_handle head;
    unsigned char bytes[8];
  } handle{};
  handle.head.handle_bytes = sizeof handle.bytes;
  handle.head.handle_type = 1;   // FILEID_INO32_GEN
  const std::uint32_t root = 2;  // the inode of an ext4's root
  std::memcpy(handle.bytes, &root, sizeof root);
  const int mount = ::open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mount < 0) return inapplicable("there is no /usr");
  return judge_privileged("open_by_handle_at",
                          ::syscall(SYS_open_by_handle_at, mount, &handle, O_RDONLY));
}

Answer name_to_handle() {
  struct {
    file_handle head;
    unsigned char bytes[MAX_HANDLE_SZ];
  } handle{};
  handle.head.handle_bytes = sizeof handle.bytes;
  int mount = 0;
  return judge_privileged("name_to_handle_at",
                          ::syscall(SYS_name_to_handle_at, AT_FDCWD, "/data", &handle, &mount, 0));
}

// The classic: a root below the folder one stands in, and then upwards.
Answer chroot_escape(const Knowledge& known) {
  constexpr const char* kJail = "/tmp/granary-attack-jail";
  (void)::mkdir(kJail, 0700);
  const int result = ::chroot(kJail);
  if (result == 0) {
    for (int i = 0; i < 64; ++i) (void)!::chdir("..");
    (void)!::chroot(".");
  }
  ::rmdir(kJail);
  if (result != 0) return refused("chroot");
  return broken(::access(canary(known).c_str(), F_OK) == 0 ? "chroot: out" : "chroot: done");
}

// A folder among the descriptors that were inherited would be a way up.
Answer climb_from_descriptors() {
  for (const std::string& name : names_in("/proc/self/fd")) {
    const int fd = static_cast<int>(number_of(name));
    struct stat status{};
    if (fd < 0 || ::fstat(fd, &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    const int flags = ::fcntl(fd, F_GETFD);
    if ((flags & FD_CLOEXEC) != 0) continue;  // our own
    if (::openat(fd, "../etc", O_PATH | O_CLOEXEC) >= 0)
      return broken("descriptor " + name + " is a folder, and leads up");
  }
  return held("no folder was inherited");
}

// The root of the process that made this silo's files, above what is mounted here.
Answer look_above_root() {
  struct stat root{};
  struct stat above{};
  if (::stat("/", &root) != 0 || ::stat("/../..", &above) != 0) return refused("stat /..");
  if (root.st_ino == above.st_ino && root.st_dev == above.st_dev) return held("/.. is /");
  return broken("there is something above /");
}

constexpr Attempt kAttempts[] = {
    {"canary-direct", kTopic, "read a file of the host by its path",
     [](const Knowledge& known) { return try_read(canary(known)); }},
    {"canary-dotdot", kTopic, "read it by climbing out of /data",
     [](const Knowledge& known) { return try_read("/data/../../../../../.." + canary(known)); }},
    {"canary-symlink", kTopic, "read it through a symbolic link in /data",
     [](const Knowledge& known) { return through_link(canary(known)); }},
    {"canary-symlink-climbing", kTopic, "read it through a link that climbs",
     [](const Knowledge& known) { return through_link("../../../../../../.." + canary(known)); }},
    {"canary-openat2", kTopic, "read it from a descriptor of /data by openat2",
     [](const Knowledge& known) { return open_at(known, 0); }},
    {"canary-openat2-in-root", kTopic, "the same, with /data taken for the root",
     [](const Knowledge& known) { return open_at(known, RESOLVE_IN_ROOT); }},
    {"canary-init-root", kTopic, "read it below the root of process 1",
     [](const Knowledge& known) { return try_read("/proc/1/root" + canary(known)); }},
    {"canary-init-cwd", kTopic, "read it from the folder of process 1",
     [](const Knowledge& known) { return try_read("/proc/1/cwd/../../../.." + canary(known)); }},
    {"canary-own-root", kTopic, "read it below the own root, as /proc shows it",
     [](const Knowledge& known) { return try_read("/proc/self/root/.." + canary(known)); }},
    {"canary-thread-root", kTopic, "read it below the root of a thread",
     [](const Knowledge& known) { return try_read("/proc/thread-self/root/.." + canary(known)); }},
    {"victim-root", kTopic, "read below the root of a process of another silo",
     [](const Knowledge& known) {
       return try_list("/proc/" + std::to_string(known.foreign_pid()) + "/root/");
     }},
    {"victim-folder", kTopic, "read the folder that a process of another silo stands in",
     [](const Knowledge& known) {
       return try_list("/proc/" + std::to_string(known.foreign_pid()) + "/cwd/");
     }},
    {"agent-root", kTopic, "read below the root of the agent",
     [](const Knowledge& known) {
       return try_list("/proc/" + std::to_string(known.agent_pid()) + "/root/");
     }},
    {"above-root", kTopic, "look above /", [](const Knowledge&) { return look_above_root(); }},
    {"descriptor-climb", kTopic, "climb from an inherited descriptor of a folder",
     [](const Knowledge&) { return climb_from_descriptors(); }},
    {"handle-of-name", kTopic, "make a file handle that outlives a path",
     [](const Knowledge&) { return name_to_handle(); }},
    {"handle-open", kTopic, "open the host's root by its file handle",
     [](const Knowledge&) { return open_by_handle(); }},
    {"hard-link-usr", kTopic, "give a set-uid program of /usr a name in /data",
     [](const Knowledge&) { return hard_link("/usr/bin/su"); }},
    {"hard-link-app", kTopic, "give a file of the release a name in /data",
     [](const Knowledge&) { return hard_link("/app/granary.yaml"); }},
    {"hard-link-etc", kTopic, "give a file of /etc a name in /data",
     [](const Knowledge&) { return hard_link("/etc/passwd"); }},
    {"hard-link-config", kTopic, "give the configuration a name in /data",
     [](const Knowledge&) { return hard_link("/run/config.json"); }},
    {"hard-link-init", kTopic, "give the silo's first program a name in /data",
     [](const Knowledge&) { return hard_link("/run/granary-init"); }},
    {"chroot", kTopic, "change the root, and climb out of it",
     [](const Knowledge& known) { return chroot_escape(known); }},
};

}  // namespace

std::span<const Attempt> path_attempts() { return kAttempts; }

}  // namespace granary::walls

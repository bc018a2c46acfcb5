// Mounting, with arguments that could change nothing: a file system that does not exist, a folder
// that is no mount. Which error comes back tells whether the right to mount was there.
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "mounts";
constexpr const char* kNothing = "/granary-attack-none";
constexpr unsigned long kBind = 0x1000;
constexpr unsigned long kRemount = 0x20;
constexpr unsigned long kMove = 0x2000;

Answer mount(const char* source, const char* target, const char* kind, unsigned long flags) {
  return judge_privileged("mount", ::syscall(SYS_mount, source, target, kind, flags, nullptr));
}

Answer set_attributes() {
  mount_attr attributes{};
  attributes.attr_clr = MOUNT_ATTR_RDONLY;
  return judge_privileged("mount_setattr", ::syscall(SYS_mount_setattr, AT_FDCWD, "/usr/bin", 0,
                                                     &attributes, sizeof attributes));
}

constexpr Attempt kAttempts[] = {
    {"mount-new", kTopic, "mount a file system",
     [](const Knowledge&) { return mount("none", "/", "granary_none", 0); }},
    {"mount-bind", kTopic, "mount a folder a second time",
     [](const Knowledge&) { return mount(kNothing, "/", nullptr, kBind); }},
    {"mount-remount", kTopic, "make a read-only mount writable",
     [](const Knowledge&) { return mount(nullptr, "/usr/bin", nullptr, kRemount | kBind); }},
    {"mount-move", kTopic, "move a mount",
     [](const Knowledge&) { return mount(kNothing, "/", nullptr, kMove); }},
    {"mount-attributes", kTopic, "take the read-only attribute from a mount",
     [](const Knowledge&) { return set_attributes(); }},
    {"umount", kTopic, "take a mount away",
     [](const Knowledge&) {
       return judge_privileged("umount2", ::syscall(SYS_umount2, "/usr/bin", 0));
     }},
    {"pivot-root", kTopic, "exchange the root",
     [](const Knowledge&) {
       return judge_privileged("pivot_root", ::syscall(SYS_pivot_root, kNothing, kNothing));
     }},
    {"fsopen", kTopic, "make a file system by the newer calls",
     [](const Knowledge&) {
       return judge_privileged("fsopen", ::syscall(SYS_fsopen, "tmpfs", 0));
     }},
    {"fsopen-cgroup", kTopic, "make a view of all control groups",
     [](const Knowledge&) {
       return judge_privileged("fsopen", ::syscall(SYS_fsopen, "cgroup2", 0));
     }},
    {"fspick", kTopic, "take up a mount for a change",
     [](const Knowledge&) {
       return judge_privileged("fspick", ::syscall(SYS_fspick, AT_FDCWD, "/", 0));
     }},
    {"open-tree", kTopic, "copy the tree of mounts",
     [](const Knowledge&) {
       return judge_privileged("open_tree",
                               ::syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE));
     }},
    {"move-mount", kTopic, "put a mount somewhere",
     [](const Knowledge&) {
       return judge_privileged("move_mount",
                               ::syscall(SYS_move_mount, -1, "", AT_FDCWD, kNothing, 0));
     }},
};

}  // namespace

std::span<const Attempt> mount_attempts() { return kAttempts; }

}  // namespace granary::walls

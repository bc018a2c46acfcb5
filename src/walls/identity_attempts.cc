// Becoming somebody else: another user, a group, the holder of a capability.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "identity";
constexpr const char* kProgram = "/data/granary-attack-program";
constexpr int kPauseMs = 5;
constexpr int kLooks = 60;

Answer raise_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (auto& half : data) half.effective = half.permitted = half.inheritable = 0xffffffff;
  return judge("capset", ::syscall(SYS_capset, &head, data));
}

// A capability in any of the sets, or one that a program could still be given.
Answer held_capabilities() {
  const std::string status = read_text("/proc/self/status");
  for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"}) {
    const std::string bits = value_of(status, set);
    if (bits.find_first_not_of('0') != std::string::npos) return broken(set + bits);
  }
  return held("no capability in any set");
}

Answer drop_no_new_privileges() {
  const int before = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  const int result = ::prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
  if (before == 1 && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
    return result < 0 ? refused("prctl PR_SET_NO_NEW_PRIVS") : held("it stays set");
  return broken("no_new_privs is not set");
}

// Its output goes into a pipe that is full already, which holds it up while it is looked at.
pid_t start_held_up(const char* program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return -1;
  (void)::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const std::string block(4096, 'x');
  while (::write(ends[1], block.data(), block.size()) > 0) {
  }
  (void)::fcntl(ends[1], F_SETFL, 0);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  (void)::dup2(ends[1], STDOUT_FILENO);
  (void)::dup2(ends[1], STDERR_FILENO);
  ::execl(program, program, "--help", nullptr);
  ::_exit(127);
}

Answer ran_as(const std::string& program) {
  const pid_t pid = start_held_up(program.c_str());
  if (pid < 0) return refused("fork");
  const std::string name = program.substr(program.rfind('/') + 1);
  std::string status;
  for (int i = 0; i < kLooks; ++i) {
    (void)::poll(nullptr, 0, kPauseMs);
    status = read_text("/proc/" + std::to_string(pid) + "/status");
    if (value_of(status, "Name:") == name) break;
  }
  ::kill(pid, SIGKILL);
  (void)::waitpid(pid, nullptr, 0);
  const std::vector<std::string> users = words_of(value_of(status, "Uid:"));
  if (users.size() < 4 || value_of(status, "Name:") != name) return held(program + " does not run");
  const std::string own = std::to_string(::getuid());
  const bool changed = std::ranges::any_of(users, [&](const auto& uid) { return uid != own; });
  const std::string text = program + " runs as user " + users[1];
  return changed ? broken(text) : held(text + ", as it should");
}

Answer run_set_uid(const char* name) {
  const std::string program = std::string("/usr/bin/") + name;
  struct stat status{};
  if (::stat(program.c_str(), &status) != 0) return inapplicable("there is no " + program);
  if ((status.st_mode & (S_ISUID | S_ISGID)) == 0)
    return inapplicable(program + " is not set-uid here");
  return ran_as(program);
}

int copy_self() {
  const std::string self = read_text("/proc/self/exe", 64U << 20);
  ::unlink(kProgram);
  if (write_text(kProgram, self) != 0) return -1;
  return ::chmod(kProgram, 0755);
}

Answer file_capability() {
  if (copy_self() != 0) return refused("copy");
  // All of them, effective: VFS_CAP_REVISION_2 with its effective bit.
  const std::array<std::uint32_t, 5> all = {0x02000001, 0xffffffff, 0, 0xffffffff, 0};
  const int result = ::setxattr(kProgram, "security.capability", all.data(), sizeof all, 0);
  const int error = errno;
  ::unlink(kProgram);
  errno = error;
  return judge("setxattr security.capability", result);
}

Answer set_uid_of_root() {
  if (copy_self() != 0) return refused("copy");
  const int result = ::chown(kProgram, 0, 0);
  const int error = errno;
  if (result == 0) (void)::chmod(kProgram, 06755);
  ::unlink(kProgram);
  errno = error;
  return judge("chown to root", result);
}

Answer become(long call, const char* name, long id) {
  return judge(name, ::syscall(call, id, id, id));
}

Answer join_groups() {
  const gid_t groups[] = {0};
  return judge("setgroups", ::syscall(SYS_setgroups, 1, groups));
}

// setfsuid tells what was before, whether it worked or not.
Answer become_for_files() {
  (void)::syscall(SYS_setfsuid, 0);
  const long now = ::syscall(SYS_setfsuid, -1);
  return now == 0 ? broken("setfsuid: files are opened as root")
                  : held("setfsuid: nothing changed");
}

constexpr Attempt kAttempts[] = {
    {"user-root", kTopic, "become root",
     [](const Knowledge&) { return become(SYS_setresuid, "setresuid", 0); }},
    {"user-victim", kTopic, "become the user of another account",
     [](const Knowledge& known) {
       return become(SYS_setresuid, "setresuid", known.foreign_uid());
     }},
    {"group-root", kTopic, "join the group of root",
     [](const Knowledge&) { return become(SYS_setresgid, "setresgid", 0); }},
    {"group-more", kTopic, "join further groups", [](const Knowledge&) { return join_groups(); }},
    {"user-files", kTopic, "open files as root",
     [](const Knowledge&) { return become_for_files(); }},
    {"capability-held", kTopic, "find a capability that was left",
     [](const Knowledge&) { return held_capabilities(); }},
    {"capability-raise", kTopic, "take all capabilities",
     [](const Knowledge&) { return raise_capabilities(); }},
    {"capability-ambient", kTopic, "hand a capability on to programs",
     [](const Knowledge&) {
       return judge("prctl PR_CAP_AMBIENT_RAISE",
                    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
     }},
    {"capability-securebits", kTopic, "change what root may",
     [](const Knowledge&) {
       return judge("prctl PR_SET_SECUREBITS", ::prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0));
     }},
    {"capability-file", kTopic, "give a program on the own disk all capabilities",
     [](const Knowledge&) { return file_capability(); }},
    {"no-new-privileges", kTopic, "take back that programs give no privileges",
     [](const Knowledge&) { return drop_no_new_privileges(); }},
    {"set-uid-own", kTopic, "make a set-uid program of root on the own disk",
     [](const Knowledge&) { return set_uid_of_root(); }},
    {"set-uid-su", kTopic, "gain by running su",
     [](const Knowledge&) { return run_set_uid("su"); }},
    {"set-uid-mount", kTopic, "gain by running mount",
     [](const Knowledge&) { return run_set_uid("mount"); }},
    {"set-uid-passwd", kTopic, "gain by running passwd",
     [](const Knowledge&) { return run_set_uid("passwd"); }},
    {"set-uid-newgrp", kTopic, "gain by running newgrp",
     [](const Knowledge&) { return run_set_uid("newgrp"); }},
    {"set-uid-chsh", kTopic, "gain by running chsh",
     [](const Knowledge&) { return run_set_uid("chsh"); }},
};

}  // namespace

std::span<const Attempt> identity_attempts() { return kAttempts; }

}  // namespace granary::walls

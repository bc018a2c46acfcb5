#include "base/os/contained_child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// Descriptors are first copied above this number, so that no target is overwritten too early.
constexpr int kSafeNumber = 256;
constexpr rlim_t kDescriptors = 1024;
constexpr rlim_t kMostDescriptors = 65'536;

// Everything the child needs, made before the fork: between it and exec nothing may allocate.
struct Prepared {
  const ContainedChildOptions& options;
  std::vector<char*> argv;
  std::vector<char*> environment;
  std::vector<int> safe;
  int null = -1;
};

using StepFunction = int (*)(Prepared&);
struct Step {
  const char* name;
  StepFunction run;
};

// In memory that parent and child share.
struct Failure {
  int step;  // 1-based; 0: none failed
  int error_number;
};

int raw(long result) { return static_cast<int>(result); }

int own_session(Prepared&) { return ::setsid() < 0 ? -1 : 0; }

int join_cgroups(Prepared& with) {
  for (const int fd : with.options.join) {
    if (::write(fd, "0", 1) != 1) return -1;
  }
  return 0;
}

int own_mounts(Prepared& with) {
  if (!with.options.mount) return 0;
  if (::unshare(CLONE_NEWNS) != 0) return -1;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return -1;
  if (const char* folder = with.options.read_only.c_str(); *folder != '\0') {
    if (::mount(folder, folder, nullptr, MS_BIND, nullptr) != 0) return -1;
    constexpr unsigned long kFlags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC;
    if (::mount(nullptr, folder, nullptr, kFlags, nullptr) != 0) return -1;
  }
  return 0;
}

int bind_read_only(const char* source, const char* at) {
  constexpr unsigned long kFlags =
      MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount(source, at, nullptr, MS_BIND, nullptr) != 0) return -1;
  return ::mount(nullptr, at, nullptr, kFlags, nullptr);
}

int say(const ShownFolders::Said& said) {
  const int fd = ::open(said.file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0) return -1;
  const bool whole =
      ::write(fd, said.text.data(), said.text.size()) == static_cast<ssize_t>(said.text.size());
  ::close(fd);
  return whole ? bind_read_only(said.file.c_str(), said.at.c_str()) : -1;
}

int show_folders(Prepared& with) {
  const ShownFolders& shown = with.options.shown;
  if (!with.options.mount || shown.target.empty()) return 0;
  const char* target = shown.target.c_str();
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  ::umask(022);
  if (::mount("view", target, "tmpfs", kFlags, "size=64k,mode=0755") != 0) return -1;
  for (const ShownFolders::Folder& folder : shown.folders) {
    if (::mkdir(folder.at.c_str(), 0755) != 0) return -1;
    if (bind_read_only(folder.source.c_str(), folder.at.c_str()) != 0) return -1;
  }
  for (const ShownFolders::Link& link : shown.links) {
    if (::symlink(link.to.c_str(), link.at.c_str()) != 0) return -1;
  }
  for (const ShownFolders::Said& said : shown.said) {
    if (say(said) != 0) return -1;
  }
  return ::mount(nullptr, target, nullptr, MS_REMOUNT | MS_RDONLY | kFlags, nullptr);
}

// Nothing else of it is wanted, and a sandbox program reads the list of mounts for each of its own.
int hide_devices(Prepared& with) {
  if (!with.options.mount) return 0;
  (void)::umount2("/sys", MNT_DETACH);  // where it is no mount, it stays
  return 0;
}

int mount_disk(Prepared& with) {
  if (!with.options.mount) return 0;
  const PrivateMount& disk = *with.options.mount;
  return ::mount(disk.device.c_str(), disk.target.c_str(), disk.type.c_str(), MS_NOSUID | MS_NODEV,
                 disk.options.c_str());
}

int unlock_disk(Prepared& with) {
  if (!with.options.mount || with.options.mount->key == nullptr) return 0;
  const PrivateMount& disk = *with.options.mount;
  return disk.key->unlock(disk.target.c_str(), disk.folder.c_str(), disk.owner.uid, disk.owner.gid);
}

int make_scratch(const PrivateMount& disk) {
  const char* scratch = disk.scratch.c_str();
  const uid_t uid = disk.owner.uid;
  const gid_t gid = disk.owner.gid;
  if (::mkdir(disk.scratch_parent.c_str(), 0700) != 0 && errno != EEXIST) return -1;
  if (disk.key != nullptr) return disk.key->make_folder(scratch, uid, gid);
  if (::mkdir(scratch, 0700) == 0) return ::chown(scratch, uid, gid);
  return errno == EEXIST ? 0 : -1;
}

// A disk without room is the app's own problem, and no reason not to start it.
int mount_scratch(Prepared& with) {
  if (!with.options.mount || with.options.mount->scratch.empty()) return 0;
  const PrivateMount& disk = *with.options.mount;
  if (make_scratch(disk) != 0) return errno == ENOSPC || errno == EDQUOT ? 0 : -1;
  return ::mount(disk.scratch.c_str(), disk.scratch_target.c_str(), nullptr, MS_BIND, nullptr);
}

// No core file: it would be smaller than a page. And not the host's handler either, which the
// kernel starts as root, with all of the memory, even at a limit of 0: 1 is how it marks the
// handler's own crashes (fs/coredump.c), and the only value that keeps it from starting.
constexpr rlim_t kNoCore = 1;

int limit_resources(Prepared&) {
  const rlimit no_core{kNoCore, kNoCore};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) return -1;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return -1;
  files.rlim_max = std::min(files.rlim_max, kMostDescriptors);
  files.rlim_cur = std::min(files.rlim_max, kDescriptors);
  return ::setrlimit(RLIMIT_NOFILE, &files);
}

int place_descriptors(Prepared& with) {
  const auto& wanted = with.options.descriptors;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    with.safe[i] = ::fcntl(wanted[i].from, F_DUPFD_CLOEXEC, kSafeNumber);
    if (with.safe[i] < 0) return -1;
  }
  // Whoever started this process may have left some open that are not ours. (Linux 5.11.)
  (void)::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  const int output = with.options.stdio < 0 ? with.null : with.options.stdio;
  if (::dup2(with.null, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 ||
      ::dup2(output, STDERR_FILENO) < 0)
    return -1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (::dup2(with.safe[i], wanted[i].number) < 0) return -1;
  }
  return 0;
}

// The system calls themselves: glibc's functions would have all threads follow, and there is one.
int change_user(Prepared& with) {
  if (!with.options.identity) return 0;
  const uid_t uid = with.options.identity->uid;
  const gid_t gid = with.options.identity->gid;
  if (raw(::syscall(SYS_setgroups, 0, nullptr)) != 0) return -1;
  if (raw(::syscall(SYS_setresgid, gid, gid, gid)) != 0) return -1;
  return raw(::syscall(SYS_setresuid, uid, uid, uid));
}

int reset_signals(Prepared&) {
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &by_default, nullptr);  // refused for SIGKILL, SIGSTOP: as it should be
  sigset_t none;
  ::sigemptyset(&none);
  return ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int enter_root(Prepared&) {
  ::umask(022);
  return ::chdir("/");
}

int execute(Prepared& with) {
  return ::execve(with.argv[0], with.argv.data(), with.environment.data());
}

constexpr Step kSteps[] = {
    {"making a session", own_session},
    {"joining its cgroups", join_cgroups},
    {"making a mount namespace", own_mounts},
    {"showing its control groups", show_folders},
    {"hiding devices", hide_devices},
    {"mounting its disk", mount_disk},
    {"unlocking its disk", unlock_disk},
    {"mounting its scratch folder", mount_scratch},
    {"handing over descriptors", place_descriptors},
    // After that: a parent with many descriptors has its copies beyond the limit.
    {"limiting its resources", limit_resources},
    {"becoming its user", change_user},
    {"resetting signals", reset_signals},
    {"entering /", enter_root},
    {"executing the program", execute},
};

[[noreturn]] void run_steps(Prepared& with, Failure* failure) {
  for (int i = 0; i < static_cast<int>(std::size(kSteps)); ++i) {
    if (kSteps[i].run(with) == 0) continue;
    failure->error_number = errno;
    failure->step = i + 1;
    break;
  }
  ::_exit(127);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// One page that parent and child share, to carry the failure.
class SharedFailure final {
 public:
  SharedFailure()
      : page_(::mmap(nullptr, sizeof(Failure), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0)) {
    ASSERT(page_ != MAP_FAILED);
  }
  ~SharedFailure() { ::munmap(page_, sizeof(Failure)); }
  SharedFailure(const SharedFailure&) = delete;
  SharedFailure& operator=(const SharedFailure&) = delete;
  Failure* get() const { return static_cast<Failure*>(page_); }

 private:
  void* page_;
};

// A stack for a child that shares our memory until it executes. What it runs is shallow.
class ChildStack final {
 public:
  static constexpr std::size_t kBytes = 64U << 10;
  ChildStack()
      : bottom_(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    ASSERT(bottom_ != MAP_FAILED);
  }
  ~ChildStack() { ::munmap(bottom_, kBytes); }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;
  void* top() const { return static_cast<char*>(bottom_) + kBytes; }

 private:
  void* bottom_;
};

struct ChildArguments {
  Prepared& with;
  Failure* failure;
};

int run_child(void* arguments) {
  const auto& given = *static_cast<ChildArguments*>(arguments);
  run_steps(given.with, given.failure);
}

// As posix_spawn does it: the child shares our memory, and this thread waits until it executes or
// ends. Copying the memory of an agent with many accounts would take longer than all else.
long clone_sharing(Prepared& with, Failure* failure, int* pidfd) {
  const ChildStack stack;
  ChildArguments arguments{with, failure};
  return ::clone(run_child, stack.top(), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &arguments,
                 pidfd);
}

// Into a cgroup of version 2, which clone(2) cannot: with a copy of our memory.
long clone_into_cgroup(Prepared& with, Failure* failure, int* pidfd) {
  clone_args arguments{};
  arguments.flags = CLONE_VFORK | CLONE_PIDFD | CLONE_INTO_CGROUP;
  arguments.pidfd = reinterpret_cast<__u64>(pidfd);
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<__u64>(with.options.cgroup);
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) run_steps(with, failure);
  return pid;
}

Result<ContainedChild> clone_child(Prepared& with, Failure* failure) {
  int pidfd = -1;
  // A handler of ours that ran in the child would act for the parent.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const long pid = with.options.cgroup >= 0 ? clone_into_cgroup(with, failure, &pidfd)
                                            : clone_sharing(with, failure, &pidfd);
  const int error_number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return std::unexpected(from_errno(error_number, "clone", with.argv[0]));
  return ContainedChild{static_cast<pid_t>(pid), Fd(pidfd)};
}

}  // namespace

Result<ContainedChild> start_contained(const ContainedChildOptions& options) {
  INVARIANT(!options.argv.empty());
  for (const HandedFd& handed : options.descriptors) INVARIANT(handed.number < kSafeNumber);
  TRY_ASSIGN(const Fd null, open_file("/dev/null", O_RDWR, 0));
  Prepared with{options, pointers_to(options.argv), pointers_to(options.environment),
                std::vector<int>(options.descriptors.size(), -1), null.get()};
  const SharedFailure failure;
  TRY_ASSIGN(ContainedChild child, clone_child(with, failure.get()));
  if (failure.get()->step == 0) return child;
  const Step& step = kSteps[failure.get()->step - 1];
  int status = 0;
  (void)checked("waitpid", "", [&] { return ::waitpid(child.pid, &status, 0); });
  return annotate(from_errno(failure.get()->error_number, step.name, options.argv.front()),
                  "starting a contained process");
}

}  // namespace granary::base::os

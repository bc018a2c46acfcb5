#include "agent/doctor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "agent/host/disk_images.h"
#include "agent/host/host_cgroups.h"
#include "agent/host/sandbox_files.h"
#include "agent/host/seccomp_filter.h"
#include "agent/limits.h"
#include "base/os/child.h"
#include "base/os/contained_child.h"
#include "base/os/disk_room.h"
#include "base/os/file.h"
#include "base/os/loop_device.h"
#include "base/os/process.h"
#include "wire/room.h"

namespace granary::agent {
namespace {

using base::Code;
using base::Result;
using base::os::Fd;

constexpr std::uint32_t kNobody = 65'534;
constexpr std::chrono::seconds kTrial{20};
constexpr const char* kInstall = "Run: apt install bubblewrap e2fsprogs";

// One thing to try: its detail when it works.
struct Trial {
  const char* name;
  Need need;
  Result<std::string> (*run)(const DoctorOptions& options);
  const char* advice;
};

Result<std::string> first_line_of(const std::vector<std::string>& argv) {
  TRY_ASSIGN(const base::os::ProgramEnd end, base::os::run_program(argv, kTrial));
  return end.output.substr(0, end.output.find('\n'));
}

// Runs a program as nobody, with what `options` says more, and wants it to end well.
Result<std::string> run_contained(base::os::ContainedChildOptions options) {
  TRY_ASSIGN(const Fd said, base::os::memory_file("doctor", ""));
  options.stdio = said.get();
  options.identity = base::os::Ownership{kNobody, kNobody};
  TRY_ASSIGN(const base::os::ContainedChild child, base::os::start_contained(options));
  const auto ended = base::os::wait_for_end(child.pidfd.get(), kTrial);
  if (!ended) (void)base::os::signal_process(child.pidfd.get(), 9);
  (void)base::os::wait_for_end(child.pidfd.get(), kTrial);
  TRY_ASSIGN(const int code, base::os::reap(child.pid));
  if (code == 0) return std::string("tried and works");
  TRY_ASSIGN(const std::string words, base::os::read_at(said.get(), 0, 500));
  return base::fail(Code::NotSupported, "{}", words.substr(0, words.find('\n')));
}

Result<std::string> try_root(const DoctorOptions&) {
  if (base::os::is_root()) return std::string("yes");
  return base::fail(Code::Refused, "this is user {}", base::os::own_uid());
}

Result<std::string> try_bwrap(const DoctorOptions& options) {
  return first_line_of({options.bwrap, "--version"});
}

Result<std::string> try_mke2fs(const DoctorOptions&) {
  return first_line_of({"/sbin/mke2fs", "-V"});
}

Result<std::string> try_init(const DoctorOptions& options) {
  if (base::os::exists(options.init_program)) return options.init_program;
  return base::fail(Code::NotFound, "there is no {}", options.init_program);
}

// As an ordinary user, as silos are; one kind of namespace at a time tells which is missing.
Result<std::string> try_namespaces(const DoctorOptions& options) {
  base::os::ContainedChildOptions trial;
  for (const char* kind : {"user", "pid", "net", "ipc", "uts", "cgroup"}) {
    trial.argv = {options.bwrap,
                  "--unshare-user",
                  std::string("--unshare-") + kind,
                  "--ro-bind",
                  "/",
                  "/",
                  "--proc",
                  "/proc",
                  "/usr/bin/true"};
    if (std::string_view(kind) != "pid")
      trial.argv.erase(trial.argv.end() - 3, trial.argv.end() - 1);
    auto tried = run_contained(trial);
    if (!tried) return base::annotate(std::move(tried).error(), std::string(kind) + " namespace");
  }
  return std::string("user, mount, pid, net, ipc, uts, cgroup");
}

Result<std::string> try_cgroups(const DoctorOptions&) {
  TRY_ASSIGN(const CgroupLayout layout, detect_layout());
  HostCgroups cgroups(layout, "granary-doctor");
  const base::ServiceId trial{base::AccountId("trial-" + std::to_string(::getpid())), "trial"};
  auto made = cgroups.make(trial, wire::Limits());
  const auto removed = cgroups.remove(trial);
  if (!made) return std::unexpected(std::move(made).error());
  TRY(removed);
  return std::string(layout.v2.empty() ? "version 1" : "version 2") + ": cpu, memory, pids";
}

// An image of a real disk, mounted as a silo's is: in a namespace of its own.
Result<std::string> mount_image(const std::string& folder, const base::os::FolderKey* key) {
  const std::string image = folder + "/disk.img";
  TRY_ASSIGN(const Fd file, base::os::open_file(image, O_RDWR | O_CREAT, 0600));
  if (::ftruncate(file.get(), static_cast<off_t>(kSmallestDisk)) != 0)
    return base::fail(Code::Exhausted, "no space for a disk");
  TRY_ASSIGN(const base::os::ProgramEnd end,
             base::os::run_program({"/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-O",
                                    key != nullptr ? "encrypt" : "^encrypt", image},
                                   kTrial));
  if (end.exit_code != 0) return base::fail(Code::NotSupported, "{}", end.output);
  TRY_ASSIGN(const base::os::LoopDevice device,
             base::os::attach_loop(image, kTrial, [] { return Result<void>(); }));
  base::os::ContainedChildOptions trial;
  trial.argv = {"/usr/bin/true"};
  trial.mount = {.device = device.path,
                 .target = folder,
                 .type = kDiskType,
                 .options = kDiskMountOptions,
                 .key = key,
                 .folder = folder + "/" + kDataFolder};
  return run_contained(std::move(trial));
}

Result<std::string> try_image(const base::os::FolderKey* key) {
  std::string folder = "/tmp/granary-doctor-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return base::fail(Code::Refused, "no temporary folder");
  auto tried = mount_image(folder, key);
  (void)base::os::remove_tree(folder);
  return tried;
}

Result<std::string> try_disk(const DoctorOptions&) { return try_image(nullptr); }

Result<std::string> try_fscrypt(const DoctorOptions&) {
  if (!base::os::has_folder_encryption())
    return base::fail(Code::NotSupported, "this kernel's ext4 has no encryption");
  const base::os::FolderKey key(std::string(base::os::kFolderKeyBytes, 'k'));
  return try_image(&key);
}

// The driver that the kernel takes for the disks' cipher, of those in /proc/crypto's text: the one
// with the highest priority. Empty: none.
std::string disk_cipher_driver(std::string_view crypto) {
  std::istringstream lines{std::string(crypto)};
  std::string name, driver, best;
  long best_priority = -1;
  for (std::string key, value; lines >> key;) {
    if (!std::getline(lines, value)) break;
    value.erase(0, std::min(value.find_first_not_of(" :\t"), value.size()));
    if (key == "name") name = value;
    if (key == "driver") driver = value;
    if (key != "priority" || name != "xts(aes)") continue;
    const long priority = std::strtol(value.c_str(), nullptr, 10);
    if (priority > best_priority) best = driver;
    best_priority = std::max(best_priority, priority);
  }
  return best;
}

Result<std::string> try_fast_cipher(const DoctorOptions&) {
  TRY_ASSIGN(const std::string crypto, base::os::read_file("/proc/crypto", 4U << 20));
  std::string driver = disk_cipher_driver(crypto);
  for (const char* slow : {"aes-generic", "aes-fixed-time", "aes-lib"}) {
    if (driver.contains(slow))
      return base::fail(Code::NotSupported, "{} does not use the CPU's AES instructions", driver);
  }
  return driver.empty() ? std::string("not in use yet") : driver;
}

Result<std::string> try_seccomp(const DoctorOptions&) {
  TRY(compile_seccomp_filter());
  TRY_ASSIGN(std::string actions,
             base::os::read_file("/proc/sys/kernel/seccomp/actions_avail", 4096));
  while (!actions.empty() && actions.back() == '\n') actions.pop_back();
  return actions;
}

Result<std::string> try_pidfd(const DoctorOptions&) {
  TRY_ASSIGN(const Fd own, base::os::open_process(::getpid()));
  TRY_ASSIGN(const Fd null, base::os::open_file("/dev/null", O_RDONLY, 0));
  TRY(base::os::take_descriptor(own.get(), null.get()));
  return std::string("tried and works");
}

Result<std::string> try_passage(const DoctorOptions& options) {
  const auto passage = check_passage(options.paths.data());
  if (!passage && passage.error().code != Code::NotFound) return std::unexpected(passage.error());
  const std::string& data = options.paths.data();
  return base::os::exists(data) ? data : data + " is not there yet: granary up will make it";
}

// Of a directory that need not exist yet: its disk is that of the nearest parent.
Result<std::string> try_room(const DoctorOptions& options) {
  std::string path = options.paths.data();
  while (path.size() > 1 && !base::os::exists(path)) path.erase(std::max(path.rfind('/'), 1UL));
  TRY_ASSIGN(const base::os::DiskRoom room, base::os::disk_room(path));
  if (const auto low = wire::low_room(options.paths.data(), room.free, room.total))
    return base::fail(Code::NoRoom, "{}", *low);
  return fmt::format("{} MiB free", room.free >> 20);
}

Result<std::string> try_descriptors(const DoctorOptions&) {
  constexpr rlim_t kWanted = 4'096;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return base::fail(Code::Internal, "getrlimit");
  if (files.rlim_max >= kWanted) return fmt::format("{}", files.rlim_max);
  return base::fail(Code::Exhausted, "only {}", files.rlim_max);
}

constexpr Trial kTrials[] = {
    {"root", Need::Required, try_root, "Start it through sudo"},
    {"bubblewrap", Need::Required, try_bwrap, kInstall},
    {"mke2fs", Need::Required, try_mke2fs, kInstall},
    {"granary-init", Need::Required, try_init, "Install it beside granary"},
    {"namespaces", Need::Required, try_namespaces,
     "Allow them: sysctl user.max_user_namespaces=100000 kernel.unprivileged_userns_clone=1; in a "
     "container, run it with more privileges or on the host"},
    {"control groups", Need::Required, try_cgroups,
     "Boot with systemd.unified_cgroup_hierarchy=1; in a container, give it a writable cgroup"},
    {"disk images", Need::Required, try_disk,
     "Load the loop and ext4 modules (modprobe loop ext4); in a container, give it /dev/loop*"},
    {"seccomp", Need::Required, try_seccomp, "Use a kernel with CONFIG_SECCOMP_FILTER"},
    {"pidfd", Need::Required, try_pidfd, "Use Linux 5.6 or later"},
    {"data directory", Need::Required, try_passage,
     "Let others pass through its parents (chmod o+x), or choose another --data-dir"},
    {"disk space", Need::Useful, try_room,
     "Free space on that disk (granary archive list, delete), or move the data directory"},
    {"open files", Need::Useful, try_descriptors, "Raise it: ulimit -Hn 65536"},
    {"disk encryption", Need::Useful, try_fscrypt, "Use a kernel with CONFIG_FS_ENCRYPTION"},
    {"fast disk cipher", Need::Useful, try_fast_cipher,
     "Load the CPU's AES (modprobe aesni_intel; on arm64 aes_ce_blk): without it a tenant that "
     "writes much data uses kernel CPU time for encryption, and other tenants become slower"},
};

}  // namespace

std::vector<Finding> examine(const DoctorOptions& options) {
  std::vector<Finding> findings;
  for (const Trial& trial : kTrials) {
    const Result<std::string> tried = trial.run(options);
    Finding finding{.name = trial.name, .need = trial.need};
    if (tried) {
      finding.detail = *tried;
    } else {
      finding.health = Health::Missing;
      finding.detail = tried.error().message;
      finding.advice = trial.advice;
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

bool can_isolate(const std::vector<Finding>& findings) {
  return std::ranges::all_of(findings, [](const Finding& finding) {
    return finding.need == Need::Useful || finding.health == Health::Well;
  });
}

}  // namespace granary::agent

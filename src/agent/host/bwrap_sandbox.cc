#include "agent/host/bwrap_sandbox.h"

#include "agent/host/runtime_environment.h"
#include "agent/init/limits.h"
#include "base/os/file.h"
#include "base/os/processors.h"
#include "wire/egress_policy.h"

namespace granary::agent {
namespace {

using Arguments = std::vector<std::string>;

constexpr const char* kInnerId = "1000";
constexpr const char* kInitInside = "/run/granary-init";
constexpr const char* kSecretsFolder = "/run/secrets";
constexpr const char* kEgressFolder = "/run/egress";
constexpr const char* kEgressSocket = "/run/egress/egress.sock";
static_assert(wire::kEgressPort == init::kEgressPort);
constexpr std::uint64_t kTmpBytes = 64ULL << 20;  // it is the service's memory that it takes
// On the account's disk, so that an upload or a large sort does not take memory.
constexpr const char* kScratch = "/var/tmp";

void add(Arguments& to, std::initializer_list<std::string> more) {
  to.insert(to.end(), more.begin(), more.end());
}

void add_namespaces(Arguments& to) {
  add(to, {"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
           "--unshare-cgroup", "--uid", kInnerId, "--gid", kInnerId, "--hostname", "silo",
           "--as-pid-1", "--new-session", "--cap-drop", "ALL"});
  add(to, {"--info-fd", std::to_string(kInfoFd), "--seccomp", std::to_string(kSeccompFd)});
}

void add_files(Arguments& to, const SandboxFolders& folders, const std::string& release,
               const SiloMounts& mounts) {
  add(to, {"--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin",
           "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"});
  add(to, {"--ro-bind", folders.etc, "/etc", "--ro-bind", release, "/app", "--bind", mounts.disk,
           "/data"});
  if (base::os::exists(folders.var)) add(to, {"--ro-bind", folders.var, "/var"});
  if (!mounts.scratch.empty()) add(to, {"--bind", mounts.scratch, kScratch});
  if (!mounts.groups.empty()) add(to, {"--ro-bind", mounts.groups, "/sys/fs/cgroup"});
  add(to, {"--proc", "/proc", "--size", std::to_string(kTmpBytes), "--perms", "1777", "--tmpfs",
           "/tmp"});
  if (base::os::exists(folders.dev)) {
    // Read-only already where this comes from: bubblewrap's own --remount-ro would forbid devices.
    add(to, {"--dev-bind", folders.dev, "/dev"});
    add(to, {"--size", std::to_string(kTmpBytes), "--perms", "1777", "--tmpfs", "/dev/shm"});
  } else {
    add(to, {"--dev", "/dev"});
  }
  // What they tell is of the whole machine: how busy each disk is, and whose.
  for (const char* file : {"/proc/diskstats", "/proc/partitions"})
    if (base::os::exists(file)) add(to, {"--ro-bind", folders.empty + "/file", file});
  for (const char* folder : {"/proc/fs", "/proc/pressure"})
    if (base::os::exists(folder)) add(to, {"--ro-bind", folders.empty + "/folder", folder});
  add(to, {"--dir", kSecretsFolder, "--perms", "0444", "--file", std::to_string(kConfigFd),
           "/run/config.json", "--ro-bind", folders.init, kInitInside});
}

// Files in memory. The values go by descriptors: a command line and an environment can be read by
// others, and are inherited.
void add_secrets(Arguments& to, const wire::Secrets& secrets) {
  int number = kFirstSecretFd;
  for (const auto& [name, value] : secrets)
    add(to, {"--perms", "0400", "--file", std::to_string(number++),
             std::string(kSecretsFolder) + "/" + name});
}

// The folder, not the socket in it: a new socket, made when the egress role starts again, shows in
// silos that run.
void add_egress(Arguments& to, const wire::Paths& paths) {
  add(to, {"--ro-bind", paths.egress_run(), kEgressFolder});
}

// How programs find it by themselves. Most clients read the small names, some the capital ones.
void add_proxy_variables(Arguments& to) {
  const std::string proxy = fmt::format("http://127.0.0.1:{}", wire::kEgressPort);
  for (const char* name : {"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"})
    add(to, {"--setenv", name, proxy});
  for (const char* name : {"NO_PROXY", "no_proxy"})
    add(to, {"--setenv", name, "localhost,127.0.0.1"});
}

// By --setenv alone: bubblewrap's own environment stays empty, so that no name in a manifest (such
// as LD_PRELOAD) can reach the program that runs outside.
void add_environment(Arguments& to, const SiloPlan& plan, const SiloMounts& mounts,
                     unsigned cores) {
  add(to, {"--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LANG",
           "C.UTF-8", "--setenv", "HOME", "/data", "--setenv", "TMPDIR",
           mounts.scratch.empty() ? "/tmp" : kScratch});
  for (const auto& [name, value] : runtime_variables(plan.spec.limits, cores))
    add(to, {"--setenv", name, value});
  if (plan.spec.egress) add_proxy_variables(to);
  for (const auto& [name, value] : plan.spec.env) add(to, {"--setenv", name, value});
  add(to, {"--setenv", "DATA_DIR", "/data", "--setenv", "SECRETS_DIR", kSecretsFolder, "--setenv",
           "APP_RELEASE", plan.release_name});
}

}  // namespace

BwrapSandbox::BwrapSandbox(wire::Paths paths, std::string bwrap)
    : paths_(std::move(paths)), bwrap_(std::move(bwrap)), cores_(base::os::processors()) {}

SandboxCommand BwrapSandbox::command(const SiloPlan& plan, const SiloMounts& mounts) const {
  SandboxCommand command;
  command.pid_source = PidSource::InfoPipe;
  command.argv = {bwrap_};
  const std::string devices = sandbox_folders(paths_).dev;
  if (base::os::exists(devices)) command.read_only = devices;
  add_namespaces(command.argv);
  add_files(command.argv, sandbox_folders(paths_), paths_.release(plan.release_hash), mounts);
  add_secrets(command.argv, plan.secrets);
  if (plan.spec.egress) add_egress(command.argv, paths_);
  add(command.argv, {"--remount-ro", "/", "--chdir", "/app"});
  add_environment(command.argv, plan, mounts, cores_);
  command.argv.emplace_back("--");
  const Arguments init = init_command(kInitInside, plan);
  command.argv.insert(command.argv.end(), init.begin(), init.end());
  if (plan.spec.egress) add(command.argv, {"--egress", kEgressSocket});
  add(command.argv, {"--watches", "guarded"});
  if (mounts.old_scratch) add(command.argv, {"--empty", kScratch});
  add(command.argv, {"--workdir", "/app", "--"});
  command.argv.insert(command.argv.end(), plan.spec.command.begin(), plan.spec.command.end());
  return command;
}

}  // namespace granary::agent

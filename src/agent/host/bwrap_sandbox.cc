#include "agent/host/bwrap_sandbox.h"

namespace granary::agent {
namespace {

using Arguments = std::vector<std::string>;

constexpr const char* kInnerId = "1000";
constexpr const char* kInitInside = "/run/granary-init";
constexpr std::uint64_t kTmpBytes = 64ULL << 20;  // it is the service's memory that it takes

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
               const std::string& disk) {
  add(to, {"--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin",
           "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"});
  add(to,
      {"--ro-bind", folders.etc, "/etc", "--ro-bind", release, "/app", "--bind", disk, "/data"});
  add(to, {"--proc", "/proc", "--dev", "/dev", "--size", std::to_string(kTmpBytes), "--perms",
           "1777", "--tmpfs", "/tmp"});
  add(to, {"--dir", "/run/secrets", "--perms", "0444", "--file", std::to_string(kConfigFd),
           "/run/config.json", "--ro-bind", folders.init, kInitInside});
  add(to, {"--remount-ro", "/", "--chdir", "/app"});
}

// By --setenv alone: bubblewrap's own environment stays empty, so that no name in a manifest (such
// as LD_PRELOAD) can reach the program that runs outside.
void add_environment(Arguments& to, const SiloPlan& plan) {
  add(to, {"--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LANG",
           "C.UTF-8", "--setenv", "HOME", "/data", "--setenv", "TMPDIR", "/tmp"});
  for (const auto& [name, value] : plan.spec.env) add(to, {"--setenv", name, value});
  add(to, {"--setenv", "DATA_DIR", "/data", "--setenv", "SECRETS_DIR", "/run/secrets", "--setenv",
           "APP_RELEASE", plan.release_name});
}

}  // namespace

SandboxCommand BwrapSandbox::command(const SiloPlan& plan, const std::string& disk) const {
  SandboxCommand command;
  command.pid_source = PidSource::InfoPipe;
  command.argv = {bwrap_};
  add_namespaces(command.argv);
  add_files(command.argv, sandbox_folders(paths_), paths_.release(plan.release_hash), disk);
  add_environment(command.argv, plan);
  command.argv.emplace_back("--");
  const Arguments init = init_command(kInitInside, plan);
  command.argv.insert(command.argv.end(), init.begin(), init.end());
  add(command.argv, {"--workdir", "/app", "--"});
  command.argv.insert(command.argv.end(), plan.spec.command.begin(), plan.spec.command.end());
  return command;
}

}  // namespace granary::agent

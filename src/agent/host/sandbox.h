// What a silo is wrapped in: turns a plan into the command that starts it. Pure; the launcher does
// the rest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/silo_plan.h"
#include "wire/paths.h"

namespace granary::agent {

// Descriptors by number, as the command finds them. 3 to 6 are granary-init's (init/limits.h).
inline constexpr int kSeccompFd = 7;
inline constexpr int kConfigFd = 8;
inline constexpr int kInfoFd = 9;
inline constexpr int kFirstSecretFd = 10;  // one for each secret, in the order of their names

// Folders that the agent makes when it starts (host/sandbox_files.h).
struct SandboxFolders {
  std::string init;   // the program granary-init
  std::string etc;    // what /etc shows
  std::string dev;    // read-only /dev; missing where no devices may be made
  std::string var;    // what /var shows beside its tmp, where there is anything
  std::string empty;  // holds an empty file and an empty folder, to lie over what is not to be seen
  // Where something is mounted, in the silo's own mount namespace.
  std::string disk;
  std::string scratch;
  std::string groups;
};
SandboxFolders sandbox_folders(const wire::Paths& paths);

// What is mounted for one silo, as folders in its mount namespace; empty: there is none.
struct SiloMounts {
  std::string disk;
  std::string scratch;       // on the account's disk, for temporary files
  bool old_scratch = false;  // what is in it is of an earlier life
  std::string groups;        // its own control groups, as they are to lie in /sys/fs/cgroup
};

// Who tells the pid of the silo's first process.
enum class PidSource {
  Child,    // it is the command itself
  InfoPipe  // the command writes it to kInfoFd (bubblewrap's --info-fd)
};

struct SandboxCommand {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  PidSource pid_source = PidSource::Child;
  std::string read_only;  // a folder that must be so before the command sees it; empty: none
  // A folder that the secrets are written to; empty: they come by kFirstSecretFd.
  std::string secrets_folder;
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  virtual std::string_view isolation() const = 0;
  virtual SandboxCommand command(const SiloPlan& plan, const SiloMounts& mounts) const = 0;
};

// granary-init and its options, up to the app's command.
std::vector<std::string> init_command(const std::string& program, const SiloPlan& plan);

}  // namespace granary::agent

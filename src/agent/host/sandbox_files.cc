#include "agent/host/sandbox_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/host/sandbox.h"
#include "base/os/child.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::Code;
using base::Result;
using base::os::Durability;

constexpr std::size_t kLargestProgram = 64U << 20;

struct EtcFile {
  const char* name;
  const char* text;
};

// What libraries look for; nothing of this machine. localhost is 127.0.0.1 alone, where an app's
// port is asked for: a server that listens on "localhost" takes the first address of it.
constexpr EtcFile kEtcFiles[] = {
    {"passwd", "app:x:1000:1000::/data:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"},
    {"group", "app:x:1000:\nnogroup:x:65534:\n"},
    {"hosts", "127.0.0.1 localhost silo\n"},
    {"hostname", "silo\n"},
    {"nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"},
};

struct Device {
  const char* name;
  unsigned minor;  // of the memory devices, major 1
};
constexpr Device kDevices[] = {
    {"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
constexpr unsigned kMemoryDevices = 1;

struct Link {
  const char* name;
  const char* target;
};
constexpr Link kDeviceLinks[] = {{"fd", "/proc/self/fd"},
                                 {"stdin", "/proc/self/fd/0"},
                                 {"stdout", "/proc/self/fd/1"},
                                 {"stderr", "/proc/self/fd/2"}};

// One folder for all silos, read-only in each, instead of a dozen mounts at each wake: a
// millisecond.
Result<void> make_devices(const std::string& folder) {
  TRY(base::os::remove_tree(folder));
  TRY(base::os::make_folders(folder + "/shm", 0755));
  for (const Device& device : kDevices) {
    const std::string path = folder + "/" + device.name;
    TRY(base::os::checked("mknod", path, [&] {
      return ::mknod(path.c_str(), S_IFCHR | 0666, makedev(kMemoryDevices, device.minor));
    }));
    TRY(base::os::checked("chmod", path, [&] { return ::chmod(path.c_str(), 0666); }));
  }
  for (const Link& link : kDeviceLinks) {
    if (::symlink(link.target, (folder + "/" + link.name).c_str()) != 0)
      return std::unexpected(base::os::from_errno(errno, "symlink", link.name));
  }
  TRY(base::os::open_file(folder + "/null", O_RDWR, 0));  // refused on a nodev file system
  return {};
}

}  // namespace

Result<void> make_sandbox_files(const wire::Paths& paths, const std::string& init_program) {
  const SandboxFolders folders = sandbox_folders(paths);
  for (const std::string& folder : {folders.disk, folders.scratch, folders.groups})
    TRY(base::os::make_folders(folder, 0711));
  TRY(base::os::make_folders(folders.empty + "/folder", 0755));
  TRY(base::os::replace_file(folders.empty + "/file", "", 0444, Durability::Cached));
  TRY(base::os::make_folders(folders.etc, 0755));
  TRY_ASSIGN(const std::string program, base::os::read_file(init_program, kLargestProgram));
  TRY(base::os::replace_file(folders.init, program, 0755, Durability::Cached));
  for (const EtcFile& file : kEtcFiles)
    TRY(base::os::replace_file(folders.etc + "/" + file.name, file.text, 0644, Durability::Cached));
  // Where that is not to be, each silo gets its own from bubblewrap, a little slower.
  if (base::os::is_root() && !make_devices(folders.dev)) TRY(base::os::remove_tree(folders.dev));
  return {};
}

std::vector<std::string> own_etc_files() {
  std::vector<std::string> names;
  for (const EtcFile& file : kEtcFiles) names.emplace_back(file.name);
  return names;
}

Result<void> check_passage(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string folder = path.substr(0, at);
    struct stat status{};
    TRY(base::os::checked("stat", folder, [&] { return ::stat(folder.c_str(), &status); }));
    if ((status.st_mode & S_IXOTH) == 0)
      return base::fail_with_advice(
          Code::Refused,
          fmt::format("{} lets no other user pass, but silos run as users of "
                      "their own and must reach {}",
                      folder, path),
          fmt::format("Run: chmod o+x {}  or choose a --data-dir elsewhere", folder));
  }
  return {};
}

}  // namespace granary::agent

#include "app/layout.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <limits>
#include <ranges>
#include <sstream>

#include "base/os/child.h"
#include "base/text.h"

namespace granary::app {

using base::Code;
using base::Result;
using base::os::own_folder;
using base::os::Ownership;

namespace {

constexpr std::size_t kLargestPasswd = 16U << 20;

// A data directory was made for one --uid-base: under another one the roles could not read what is
// theirs, and accounts would get the users of others.
Result<void> check_owner(const Config& config, const std::string& control) {
  TRY_ASSIGN(const Ownership owner, base::os::owner_of(control));
  const uid_t own = control_identity(config).uid;
  if (owner.uid == own) return {};
  if (!base::os::is_root())
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("the data directory {} belongs to user {}, and this is user {}",
                    config.data_dir, owner.uid, own),
        "Start it as root, or as that user, whichever it was first started as");
  return base::fail_with_advice(
      Code::InvalidArgument,
      fmt::format("the data directory {} belongs to --uid-base {}, not to {}", config.data_dir,
                  owner.uid, config.uid_base),
      fmt::format("Give --uid-base {0}, or start it as user {0} if it was made without root",
                  owner.uid));
}

// The owner and the mode of whatever is given are changed: not those of a folder of somebody's.
Result<void> check_new(const wire::Paths& paths) {
  const std::string ours[] = {paths.bundles(),
                              paths.frontends(),
                              paths.transfers(),
                              paths.archives(),
                              paths.publish(),
                              paths.releases(),
                              paths.accounts(),
                              paths.graveyard(),
                              paths.keys(),
                              paths.access(),
                              paths.egress(),
                              paths.run(),
                              paths.data() + "/lost+found"};
  TRY_ASSIGN(const auto names, base::os::list_folder(paths.data()));
  for (const std::string& name : names) {
    if (std::ranges::find(ours, paths.data() + "/" + name) != std::end(ours)) continue;
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("{} holds {}: it is not a data directory, and it is not empty", paths.data(),
                    base::quote(name)),
        "Give a folder of its own, which need not exist yet");
  }
  return {};
}

}  // namespace

Result<void> check_data_dir(const Config& config) {
  const std::string& path = config.data_dir;
  if (path.starts_with('/') && path.size() >= 2 && !path.ends_with('/')) return {};
  return base::fail_with_advice(
      Code::InvalidArgument, fmt::format("'{}' cannot be the data directory", path),
      "Give an absolute path without a slash at its end, such as /var/lib/granary");
}

Result<void> check_users(std::uint32_t uid_base, std::string_view passwd) {
  const auto refuse = [&](const std::string& why) {
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format(
            "--uid-base {} cannot be used: the roles and accounts run as users {} to {}, {}",
            uid_base, uid_base, std::uint64_t{uid_base} + kUsers - 1, why),
        "Leave --uid-base out, or give a number from which on that many users are nobody's");
  };
  if (uid_base < kLeastUidBase)
    return refuse(fmt::format("and those below {} are for others", kLeastUidBase));
  if (uid_base > std::numeric_limits<std::uint32_t>::max() - kUsers)
    return refuse("and there are not so many");
  std::istringstream lines{std::string(passwd)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t name = std::min(line.find(':'), line.size());
    const std::size_t number = line.find(':', name + 1);
    if (number == std::string::npos) continue;
    std::uint32_t uid = 0;
    const char* end = line.data() + line.size();
    const auto read = std::from_chars(line.data() + number + 1, end, uid);
    if (read.ec == std::errc() && uid >= uid_base && uid - uid_base < kUsers)
      return refuse(
          fmt::format("and {} is user {} of this machine", base::quote(line.substr(0, name)), uid));
  }
  return {};
}

Result<void> check_uid_base(const Config& config) {
  // Of a data directory that is there check_owner() tells: it goes on with what it was made for.
  if (!base::os::is_root() || base::os::exists(wire::Paths(config.data_dir).control())) return {};
  return check_users(config.uid_base,
                     base::os::read_file("/etc/passwd", kLargestPasswd).value_or(""));
}

Result<void> open_data_dir(const Config& config) {
  TRY(check_data_dir(config));
  const wire::Paths paths(config.data_dir);
  if (base::os::exists(paths.control())) return check_owner(config, paths.control());
  if (base::os::exists(paths.data())) return check_new(paths);
  return base::os::make_folders(paths.data(), 0711);
}

namespace {

struct Folder {
  std::string path;
  mode_t mode;
  Ownership owner;
};

// Each behind the one that it lies in. 0711: passed through on the way to what one may read, but
// not listed.
std::vector<Folder> folders_of(const Config& config) {
  const wire::Paths paths(config.data_dir);
  const Ownership root{base::os::own_uid(), base::os::own_gid()};
  const Ownership control = control_identity(config);
  const Ownership gateway = gateway_identity(config);
  const Ownership egress = egress_identity(config);
  return {{paths.data(), 0711, root},
          {paths.control(), 0700, control},
          {paths.control() + "/uploads", 0700, control},
          {paths.bundles(), 0711, control},
          {paths.frontends(), 0711, control},
          {paths.transfers(), 0700, control},
          {paths.archives(), 0700, control},
          {paths.publish(), 0755, control},
          {paths.releases(), 0711, root},
          {paths.accounts(), 0711, root},
          {paths.graveyard(), 0700, root},
          {paths.keys(), 0700, root},
          {paths.access(), 0700, gateway},
          {paths.egress(), 0700, egress},
          {paths.run(), 0711, root},
          {paths.egress_run(), 0711, egress},
          {paths.silos(), 0711, root}};
}

// Empty: the root, or a name alone.
std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

Result<void> prepare_layout(const Config& config) {
  TRY(open_data_dir(config));
  for (const Folder& folder : folders_of(config))
    TRY(own_folder(folder.path, folder.mode, folder.owner));
  return {};
}

std::string first_new_folder(const Config& config) {
  std::string first;
  if (!check_data_dir(config)) return first;
  for (std::string path = config.data_dir; !path.empty() && !base::os::exists(path);
       path = parent_of(path))
    first = path;
  return first;
}

void remove_empty_layout(const Config& config, const std::string& first) {
  if (first.empty()) return;
  std::error_code not_empty;
  const std::vector<Folder> folders = folders_of(config);
  for (const Folder& folder : folders | std::views::reverse)
    std::filesystem::remove(folder.path, not_empty);
  for (std::string path = config.data_dir; path.size() > first.size();) {
    path = parent_of(path);
    std::filesystem::remove(path, not_empty);
  }
}

}  // namespace granary::app

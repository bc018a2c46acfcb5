#include "agent/host/shared_files.h"

#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "agent/limits.h"
#include "base/log.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::Result;

// What may be seen, file or whole folder; a `*` stands for part of a name in /etc itself. Only what
// its package means for everybody: no settings that people put passwords into (/etc/environment,
// /etc/npmrc, /etc/maven), no names of this machine or its network, nothing of its services.
struct Shown {
  const char* path;
  const char* ending = "";  // of its files
};
constexpr Shown kShown[] = {
    // Where programs and libraries lie.
    {"etc/alternatives"},
    {"etc/ld.so.cache"},
    {"etc/ld.so.conf"},
    {"etc/ld.so.conf.d"},
    {"etc/debian_version"},
    {"etc/os-release"},
    // Whom TLS may trust, and how it is spoken. Keys lie beside it, in etc/ssl/private.
    {"etc/ssl/certs"},
    {"etc/ssl/openssl.cnf"},
    {"etc/pki/ca-trust/extracted"},
    {"etc/pki/java"},
    {"etc/pki/tls/certs"},
    {"etc/pki/tls/openssl.cnf"},
    {"etc/crypto-policies"},
    // Names of what everybody uses.
    {"etc/ethertypes"},
    {"etc/gai.conf"},
    {"etc/host.conf"},
    {"etc/locale.alias"},
    {"etc/localtime"},
    {"etc/magic"},
    {"etc/magic.mime"},
    {"etc/mime.types"},
    {"etc/papersize"},
    {"etc/protocols"},
    {"etc/rpc"},
    {"etc/services"},
    {"etc/terminfo"},
    {"etc/timezone"},
    {"etc/sgml"},
    {"etc/xml"},
    // Runtimes. Beside PHP's ini files lie the pools of its server, with environments in them.
    {"etc/java-*"},
    {"etc/dotnet"},
    {"etc/perl"},
    {"etc/php", ".ini"},
    {"etc/python*"},
    {"etc/R/Makeconf"},
    {"etc/R/Renviron"},
    {"etc/R/ldpaths"},
    {"etc/R/repositories"},
    // What renders documents and pictures.
    {"etc/fonts"},
    {"etc/ghostscript"},
    {"etc/groff"},
    {"etc/ImageMagick-*"},
    {"etc/libreoffice"},
    {"etc/dictionaries-common"},
    {"etc/texmf"},
    {"etc/X11/rgb.txt"},
    {"var/lib/aspell"},
    {"var/lib/ghostscript"},
    {"var/lib/mecab"},
    {"var/lib/texmf"},
};
// In a file of any name: it is not shown.
constexpr std::string_view kSecret = "PRIVATE KEY-----";

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::string link_target(const std::string& path) {
  char target[4096];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  return {target, length > 0 ? static_cast<std::size_t>(length) : 0};
}

// What a silo has of it lies at the same place; it leads nowhere else.
bool leads_into_view(const std::string& folder, const std::string& target) {
  std::string path = target.starts_with('/') ? target : "/" + folder + "/" + target;
  std::vector<std::string_view> parts;
  std::string_view left(path);
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('/'), left.size());
    const std::string_view part = left.substr(0, end);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return !parts.empty() && (parts[0] == "usr" || parts[0] == "etc" || parts[0] == "var");
}

}  // namespace

SharedFolders shared_folders(const wire::Paths& paths) { return {.root = "", .to = paths.run()}; }

SharedFiles::SharedFiles(SharedFolders folders, std::vector<std::string> own)
    : folders_(std::move(folders)), own_(std::move(own)) {}

// Finds what there is to show now, within the bounds of limits.h.
class SharedFiles::Walk final {
 public:
  explicit Walk(const std::string& root) : root_(root) {
    struct stat status{};
    if (::stat((root_ + "/etc").c_str(), &status) == 0) owner_ = status.st_uid;
  }

  void run() {
    watch("etc");
    for (const Shown& shown : kShown) {
      const std::string path(shown.path);
      if (path.find('*') == std::string::npos) {
        top(path, shown.ending);
        continue;
      }
      const std::string pattern = path.substr(path.find('/') + 1);
      for (const std::string& name : names_in("etc")) {
        if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) top("etc/" + name, shown.ending);
      }
    }
  }

  Items items;
  std::map<std::string, std::optional<Stamp>> watched;

 private:
  std::vector<std::string> names_in(const std::string& path) const {
    return base::os::list_folder(root_ + "/" + path).value_or(std::vector<std::string>());
  }
  void watch(const std::string& path) { watched[path] = stamp_of(root_ + "/" + path); }

  // The folders above it may be passed by everybody; that there is one is all that is told of them.
  void top(const std::string& path, std::string_view ending) {
    std::vector<std::string> above;
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      above.push_back(path.substr(0, at));
      watch(above.back());
      if (!watched[above.back()]) return;
    }
    const std::size_t before = items.size();
    add(path, ending, 0);
    if (items.size() == before) return;
    for (const std::string& folder : above)
      if (folder != "etc") items.emplace(folder, Item{Kind::Folder, {}, {}});
  }

  void add(const std::string& path, std::string_view ending, std::size_t depth) {
    if (items.size() >= kMostSharedFiles || depth > kDeepestShared) return;
    struct stat status{};
    if (::lstat((root_ + "/" + path).c_str(), &status) != 0) return;
    const Stamp stamp{status.st_ino, nanoseconds(status.st_ctim)};
    const bool listed = status.st_uid == owner_;  // and not put there by a service
    if (S_ISLNK(status.st_mode)) {
      const std::string target = link_target(root_ + "/" + path);
      if (listed && path.ends_with(ending) &&
          leads_into_view(path.substr(0, path.rfind('/')), target))
        items.emplace(path, Item{Kind::Link, stamp, target});
    } else if (S_ISDIR(status.st_mode)) {
      if (!listed || (status.st_mode & S_IXOTH) == 0 || (status.st_mode & S_IROTH) == 0) return;
      watched[path] = stamp;
      items.emplace(path, Item{Kind::Folder, {}, {}});
      for (const std::string& name : names_in(path)) add(path + "/" + name, ending, depth + 1);
    } else if (S_ISREG(status.st_mode)) {
      watched[path] = stamp;
      const auto bytes = static_cast<std::uint64_t>(status.st_size);
      if (!listed || (status.st_mode & S_IROTH) == 0 || !path.ends_with(ending)) return;
      if (bytes_ + bytes > kMostSharedBytes) return;
      bytes_ += bytes;
      items.emplace(path, Item{Kind::File, stamp, {}});
    }
  }

  const std::string& root_;
  uid_t owner_ = 0;
  std::uint64_t bytes_ = 0;
};

std::optional<SharedFiles::Stamp> SharedFiles::stamp_of(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return Stamp{status.st_ino, nanoseconds(status.st_ctim)};
}

// Links are not looked at: one that changes is another file, and its folder tells.
bool SharedFiles::unchanged() const {
  return std::ranges::all_of(watched_, [this](const auto& seen) {
    return stamp_of(folders_.root + "/" + seen.first) == seen.second;
  });
}

Result<void> SharedFiles::put(const std::string& path, const Item& item) const {
  const std::string to = folders_.to + "/" + path;
  struct stat status{};
  const bool there = ::lstat(to.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode) != (item.kind == Kind::Folder))
    TRY(base::os::remove_tree(to));
  switch (item.kind) {
    case Kind::Folder:
      return base::os::make_folders(to, 0755);
    case Kind::Link: {
      const std::string beside = to + ".new";
      (void)base::os::remove_file(beside);
      TRY(base::os::checked("symlink", beside,
                            [&] { return ::symlink(item.target.c_str(), beside.c_str()); }));
      return base::os::rename_file(beside, to);
    }
    case Kind::File:
      break;
  }
  const auto text = base::os::read_file(folders_.root + "/" + path, kMostSharedBytes);
  if (!text) return base::os::remove_file(to);  // it has gone meanwhile
  if (text->find(kSecret) != std::string::npos) {
    base::log::warn("/{} holds a private key, so silos do not see it", path);
    return base::os::remove_file(to);
  }
  return base::os::replace_file(to, *text, 0644, base::os::Durability::Cached);
}

// What an earlier look, or an earlier agent, has left there.
void SharedFiles::prune(const std::string& path) const {
  const std::string folder = folders_.to + "/" + path;
  for (const std::string& name :
       base::os::list_folder(folder).value_or(std::vector<std::string>())) {
    const std::string inner = fmt::format("{}/{}", path, name);
    if (path == "etc" && std::ranges::find(own_, name) != own_.end()) continue;
    const auto known = items_.find(inner);
    if (known == items_.end()) {
      (void)base::os::remove_tree(fmt::format("{}/{}", folder, name));
    } else if (known->second.kind == Kind::Folder) {
      prune(inner);
    }
  }
}

Result<void> SharedFiles::refresh(base::BootTime now) {
  return turns_.take([this, now] { return refresh_alone(now); });
}

Result<void> SharedFiles::refresh_alone(base::BootTime now) {
  if (looked_ && (now - *looked_ < kSharedLook || unchanged())) {
    if (now - *looked_ >= kSharedLook) looked_ = now;
    return {};
  }
  Walk walk(folders_.root);
  walk.run();
  TRY(base::os::make_folders(folders_.to + "/etc", 0755));
  for (const auto& [path, item] : walk.items) {
    const auto known = items_.find(path);
    if (known == items_.end() || known->second != item) TRY(put(path, item));
  }
  // Last: what failed on the way is tried again.
  const bool has_var = walk.items.contains("var");
  items_ = std::move(walk.items);
  prune("etc");
  if (has_var) {
    TRY(base::os::make_folders(folders_.to + "/var/tmp", 0755));
    items_.emplace("var/tmp", Item{Kind::Folder, {}, {}});
    prune("var");
  }
  watched_ = std::move(walk.watched);
  looked_ = now;
  return {};
}

}  // namespace granary::agent

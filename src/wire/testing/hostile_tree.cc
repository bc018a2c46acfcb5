#include "wire/testing/hostile_tree.h"

#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/check.h"
#include "base/os/file.h"
#include "wire/data_acl.h"

namespace granary::wire::testing {

using base::LeftOutKind;
using base::os::Folder;

namespace {

// Names that mean something to somebody on the way.
const char* const kNames[] = {
    "data", "deep", "contents.json",   "format", "PaxHeader",  "...", "-rf",      "%41",
    "a\\b", "\n",   "GNUSparseFile.0", "._x",    "lost+found", "\"",  "\xff\xfe", "\xed\xa0\x80",
    " ",    "x ",   "user.=",          ".hidden"};

}  // namespace

HostileTree::HostileTree(const std::string& folder, base::Rng& rng, HostileTreeOptions options)
    : rng_(rng), options_(options), way_(Folder::open(folder).value()) {
  folders_.push_back(way_.here().again().value());
  for (std::size_t i = 0; i < options_.entries; ++i) grow();
  while (!levels_.empty()) leave();
}

std::string HostileTree::any_bytes(std::size_t length) {
  std::string bytes;
  while (bytes.size() < length) {
    const char byte = static_cast<char>(1 + below(255));
    if (byte != '/') bytes += byte;
  }
  return bytes;
}

std::string HostileTree::fresh_name() {
  for (;;) {
    std::string name = below(3) == 0   ? kNames[below(std::size(kNames))]
                       : below(8) == 0 ? any_bytes(255)
                                       : any_bytes(1 + below(12));
    if (name == "." || name == "..") continue;
    if (!way_.here().status(name)) return name;
  }
}

mode_t HostileTree::any_mode() {
  const auto mode = static_cast<mode_t>(below(01000));
  // Only root looks into what its owner has closed.
  return ::geteuid() == 0 ? mode : mode | 0700U;
}

void HostileTree::set_time(const std::string& name) {
  constexpr std::int64_t kYear = 365 * 86'400;
  // What ext4 can say: from 1901 on, and far beyond 2038.
  const auto seconds = static_cast<std::int64_t>(below(400 * kYear)) - 60 * kYear;
  const timespec time{seconds, static_cast<long>(below(1'000'000'000))};
  const timespec both[2] = {time, time};
  ASSERT(::utimensat(way_.here().fd(), name.c_str(), both, AT_SYMLINK_NOFOLLOW) == 0);
}

void HostileTree::grow() {
  switch (below(10)) {
    case 0:
    case 1:
      return levels_.size() < options_.deepest ? add_folder() : add_file();
    case 2:
      return levels_.empty() ? add_folder() : leave();
    case 3:
      return add_symlink();
    case 4:
    case 5:
      return linkable_.empty() ? add_file() : add_hard_link();
    case 6:
      return add_pipe_or_socket();
    default:
      return add_file();
  }
}

void HostileTree::add_folder() {
  const std::string name = fresh_name();
  Folder made = way_.here().make_folder(name, 0700).value();
  add_attributes(made.fd());
  folders_.push_back(made.again().value());
  ASSERT(way_.enter(std::move(made)).has_value());
  const mode_t bits = below(4) == 0 ? (below(2) == 0 ? S_ISVTX : S_ISGID) : 0U;
  levels_.push_back({name, any_mode() | bits});
}

void HostileTree::leave() {
  const Level left = levels_.back();
  levels_.pop_back();
  ASSERT(::fchmod(way_.here().fd(), left.mode) == 0);
  add_lists(way_.here().fd(), S_IFDIR);
  ASSERT(way_.leave().has_value());
  struct stat status{};
  ASSERT(::fstatat(way_.here().fd(), left.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0);
  if ((status.st_mode & (S_ISUID | S_ISGID)) != 0) left_out_.add(LeftOutKind::SetIdBits, left.name);
  set_time(left.name);
}

void HostileTree::add_file() {
  const std::string name = fresh_name();
  const auto fd = way_.here().make_file(name, 0600).value();
  constexpr std::uint64_t kLongest = 3U << 20;
  const auto size = below(4) == 0 ? 0 : below(kLongest);
  ASSERT(::ftruncate(fd.get(), static_cast<off_t>(size)) == 0);
  for (std::uint64_t left = below(4); left > 0 && size > 0; --left) {
    const std::string bytes = below(5) == 0 ? std::string(8'192, '\0') : any_bytes(below(20'000));
    const std::uint64_t at = below(size);
    const std::string_view some = std::string_view(bytes).substr(0, size - at);
    ASSERT(::pwrite(fd.get(), some.data(), some.size(), static_cast<off_t>(at)) ==
           static_cast<ssize_t>(some.size()));
  }
  add_attributes(fd.get());
  add_lists(fd.get(), S_IFREG);
  const mode_t bits = below(8) == 0 ? S_ISUID : below(8) == 0 ? S_ISVTX : 0U;
  ASSERT(::fchmod(fd.get(), any_mode() | bits) == 0);
  if (bits == S_ISUID) left_out_.add(LeftOutKind::SetIdBits, name);
  set_time(name);
  linkable_.push_back({folders_.back().fd(), name});
  // The folder that it lies in: the last one made is another one after leave().
  folders_.push_back(way_.here().again().value());
  linkable_.back().folder = folders_.back().fd();
}

void HostileTree::add_pipe_or_socket() {
  const std::string name = fresh_name();
  const mode_t kinds[] = {S_IFIFO, S_IFSOCK, S_IFCHR};
  const std::size_t kind = below(3);
  // The device is the one that overlays use for what is gone: anybody may make it.
  if (::mknodat(way_.here().fd(), name.c_str(), kinds[kind] | 0600U, 0) != 0) return add_file();
  const LeftOutKind words[] = {LeftOutKind::Fifo, LeftOutKind::Socket, LeftOutKind::Device};
  left_out_.add(words[kind], name);
}

void HostileTree::add_symlink() {
  const std::string name = fresh_name();
  const std::string target = below(4) == 0   ? any_bytes(1 + below(4'000))
                             : below(3) == 0 ? name
                             : below(2) == 0 ? std::string("/etc/passwd")
                                             : "../" + any_bytes(8);
  ASSERT(::symlinkat(target.c_str(), way_.here().fd(), name.c_str()) == 0);
  set_time(name);
  folders_.push_back(way_.here().again().value());
  linkable_.push_back({folders_.back().fd(), name});
}

void HostileTree::add_hard_link() {
  const Named& from = linkable_[below(linkable_.size())];
  // Where the kernel protects them, not to everything.
  (void)::linkat(from.folder, from.name.c_str(), way_.here().fd(), fresh_name().c_str(), 0);
}

// As many as there is room for, of any names. Where there can be none, there is none.
void HostileTree::add_attributes(int fd) {
  if (below(4) != 0) return;
  for (std::uint64_t left = 1 + below(3) * 30; left > 0; --left) {
    const std::string name = "user." + any_bytes(1 + below(10)) + (below(3) == 0 ? "=%41" : "");
    const std::string value = any_bytes(below(3) == 0 ? 0 : below(20));
    (void)::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0);
  }
}

void HostileTree::add_lists(int fd, mode_t kind) {
  if (below(4) != 0) return;
  const auto permissions = [this] { return static_cast<__le16>(below(8)); };
  struct {
    posix_acl_xattr_header header{POSIX_ACL_XATTR_VERSION};
    posix_acl_xattr_entry entries[6];
  } list{};
  const __le16 tags[] = {ACL_USER_OBJ, ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK, ACL_OTHER};
  for (std::size_t i = 0; i < std::size(tags); ++i)
    list.entries[i] = {tags[i], permissions(), static_cast<__le32>(ACL_UNDEFINED_ID)};
  list.entries[0].e_perm = 7;
  list.entries[1].e_id = ::geteuid();
  list.entries[3].e_id = ::getegid();
  const std::string name(below(2) == 0 && kind == S_IFDIR ? kDefaultList : kAccessList);
  (void)::fsetxattr(fd, name.c_str(), &list, sizeof(list), 0);
}

void make_deep(const std::string& folder, const std::string& name, std::size_t depth) {
  base::os::Descent way(Folder::open(folder).value());
  for (std::size_t i = 0; i < depth; ++i)
    ASSERT(way.enter(way.here().make_folder(name, 0755).value()).has_value());
  const auto leaf = way.here().make_file("leaf", 0644).value();
  ASSERT(base::os::write_all(leaf.get(), "at the bottom").has_value());
}

}  // namespace granary::wire::testing

#include "wire/data_acl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <cstring>
#include <optional>
#include <vector>

#include "base/check.h"

namespace granary::wire {
namespace {

using Entry = posix_acl_xattr_entry;

constexpr unsigned kAllPermissions = ACL_READ | ACL_WRITE | ACL_EXECUTE;

// Little-endian, as every machine that this runs on.
std::optional<std::vector<Entry>> entries_of(std::string_view value) {
  posix_acl_xattr_header header{};
  if (value.size() < sizeof(header) || (value.size() - sizeof(header)) % sizeof(Entry) != 0)
    return {};
  std::memcpy(&header, value.data(), sizeof(header));
  if (header.a_version != POSIX_ACL_XATTR_VERSION) return {};
  std::vector<Entry> entries((value.size() - sizeof(header)) / sizeof(Entry));
  if (!entries.empty())
    std::memcpy(entries.data(), value.data() + sizeof(header), entries.size() * sizeof(Entry));
  return entries;
}

std::string value_of(const std::vector<Entry>& entries) {
  const posix_acl_xattr_header header{POSIX_ACL_XATTR_VERSION};
  std::string value(reinterpret_cast<const char*>(&header), sizeof(header));
  value.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(Entry));
  return value;
}

bool is_named(const Entry& entry) { return entry.e_tag == ACL_USER || entry.e_tag == ACL_GROUP; }

}  // namespace

bool is_acl_name(std::string_view name) { return name == kAccessList || name == kDefaultList; }

bool is_data_acl(std::string_view value) {
  constexpr unsigned kAlways = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
  constexpr unsigned kNamed = ACL_USER | ACL_GROUP;
  const auto entries = entries_of(value);
  if (!entries) return false;
  unsigned seen = 0;
  for (const Entry& entry : *entries) {
    // Each tag is a bit, and they ascend in the order that the kernel wants them in.
    if (entry.e_tag <= seen || entry.e_tag > ACL_OTHER || (entry.e_tag & (entry.e_tag - 1)) != 0)
      return false;
    if (entry.e_perm > kAllPermissions || (is_named(entry) && entry.e_id != 0)) return false;
    seen |= entry.e_tag;
  }
  return (seen & kAlways) == kAlways && ((seen & kNamed) == 0 || (seen & ACL_MASK) != 0);
}

PackedAcl acl_to_archive(std::string_view value, AccountIds owner) {
  PackedAcl packed;
  const auto entries = entries_of(value);
  if (!entries) return packed;
  std::vector<Entry> kept;
  for (Entry entry : *entries) {
    const bool own = entry.e_tag == ACL_USER ? entry.e_id == owner.uid : entry.e_id == owner.gid;
    if (is_named(entry) && !own) {
      packed.others_left = true;
      continue;
    }
    // Of several for one user the kernel heeds the first.
    if (!kept.empty() && kept.back().e_tag == entry.e_tag) continue;
    entry.e_id = is_named(entry) ? 0 : ACL_UNDEFINED_ID;
    kept.push_back(entry);
  }
  std::string made = value_of(kept);
  if (is_data_acl(made)) packed.value = std::move(made);
  return packed;
}

std::string acl_from_archive(std::string_view value, AccountIds owner) {
  auto entries = entries_of(value);
  INVARIANT(entries.has_value());
  for (Entry& entry : *entries) {
    if (entry.e_tag == ACL_USER) entry.e_id = owner.uid;
    if (entry.e_tag == ACL_GROUP) entry.e_id = owner.gid;
  }
  return value_of(*entries);
}

}  // namespace granary::wire

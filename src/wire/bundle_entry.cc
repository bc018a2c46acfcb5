#include "wire/bundle_entry.h"

#include <algorithm>

#include "base/text.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;

constexpr std::string_view kRename = "Rename it, or list it in .granaryignore";
constexpr std::string_view kRelink =
    "Let the link lead, from the folder it lies in, to something inside the app's folder, with .. "
    "only at its beginning; or copy what it leads to";

// What is wrong with one name of a path, or nothing.
std::string_view name_fault(std::string_view name) {
  if (name.empty()) return "has an empty name in it";
  if (name == "." || name == "..") return "must not contain . or ..";
  if (!base::is_utf8(name)) return "is not UTF-8";
  if (!base::is_printable_utf8(name)) return "has control characters in its name";
  return {};
}

Result<void> check_path(std::string_view path, const BundleLimits& limits) {
  if (path.size() > limits.path_bytes) {
    return base::fail_with_advice(Code::Exhausted,
                                  fmt::format("the path {} has {} bytes, more than {}",
                                              base::quote(path), path.size(), limits.path_bytes),
                                  "Use shorter names or fewer folders");
  }
  if (path.starts_with('/'))
    return base::fail(Code::InvalidArgument, "the path {} is absolute", base::quote(path));
  std::size_t depth = 0;
  for (std::string_view rest = path; ++depth <= limits.depth;) {
    const std::size_t slash = rest.find('/');
    if (const std::string_view fault = name_fault(rest.substr(0, slash)); !fault.empty()) {
      return base::fail_with_advice(Code::InvalidArgument,
                                    fmt::format("the path {} {}", base::quote(path), fault),
                                    std::string(kRename));
    }
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
  return base::fail_with_advice(
      Code::Exhausted,
      fmt::format("the path {} is more than {} folders deep", base::quote(path), limits.depth),
      "Use fewer folders");
}

// What is wrong with where a link leads, or nothing. `depth`: folders above the link.
//
// Names after the .. may be links themselves. Each of those keeps the same rule, so following it
// ends inside, and no .. comes after it: that is why .. is allowed at the beginning alone, where
// it climbs real folders.
std::string_view link_fault(std::string_view target, std::size_t depth) {
  if (target.empty()) return "leads nowhere";
  if (target.starts_with('/')) return "is absolute";
  std::size_t climbed = 0;
  bool beginning = true;
  for (std::string_view rest = target; !rest.empty();) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      beginning = false;
      if (const std::string_view fault = name_fault(name); !fault.empty()) return fault;
      continue;
    }
    if (!beginning) return "has .. after a name";
    if (++climbed > depth) return "leaves the app's folder";
  }
  return {};
}

Result<void> check_link(const BundleEntry& entry, const BundleLimits& limits) {
  if (entry.target.size() > limits.path_bytes) {
    return base::fail(Code::Exhausted, "the link {} has a target of {} bytes, more than {}",
                      base::quote(entry.path), entry.target.size(), limits.path_bytes);
  }
  const auto depth = static_cast<std::size_t>(std::ranges::count(entry.path, '/'));
  const std::string_view fault = link_fault(entry.target, depth);
  if (fault.empty()) return {};
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("the link {} to {} {}", base::quote(entry.path),
                                            base::quote(entry.target), fault),
                                std::string(kRelink));
}

}  // namespace

Result<void> check_entry(const BundleEntry& entry, const BundleLimits& limits) {
  TRY(check_path(entry.path, limits));
  switch (entry.kind) {
    case EntryKind::Folder:
      return {};
    case EntryKind::Link:
      return check_link(entry, limits);
    case EntryKind::File:
      if (entry.size <= limits.file_bytes) return {};
      return base::fail_with_advice(
          Code::Exhausted,
          fmt::format("{} has {} bytes; a file of a release may have {}", base::quote(entry.path),
                      entry.size, limits.file_bytes),
          "Keep large data out of the release: an app stores it in /data");
    case EntryKind::Fifo:
    case EntryKind::Socket:
    case EntryKind::Device:
      break;
  }
  return base::fail_with_advice(
      Code::InvalidArgument,
      fmt::format("{} is {}; a release holds files, folders and links alone",
                  base::quote(entry.path), base::os::to_string(entry.kind)),
      "Remove it, or list it in .granaryignore");
}

Result<void> BundleTotals::add(const BundleEntry& entry) {
  if (++entries_ > limits_.entries) {
    return base::fail_with_advice(
        Code::Exhausted,
        fmt::format("there are more than {} files, folders and links", limits_.entries),
        "List what the app does not need to run in .granaryignore");
  }
  if (entry.kind != EntryKind::File) return {};
  ++files_;
  bytes_ += entry.size;
  if (bytes_ <= limits_.total_bytes) return {};
  return base::fail_with_advice(
      Code::Exhausted,
      fmt::format("the files have more than {} bytes together", limits_.total_bytes),
      "List what the app does not need to run in .granaryignore; keep data in /data");
}

}  // namespace granary::wire

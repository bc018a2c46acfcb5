#include "wire/data_entry.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "wire/data_acl.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kMaxName = 255;      // of one part of a path, on every file system in use
constexpr std::size_t kMaxPath = 4'095;    // more than any part of ours has
constexpr std::size_t kMaxTarget = 4'095;  // of a symbolic link
constexpr std::int64_t kNanoseconds = 1'000'000'000;

template <class... Args>
base::Failure refused(const std::string& path, fmt::format_string<Args...> why, Args&&... args) {
  return base::fail(Code::InvalidArgument, "the archive's entry {} {}", base::quote(path),
                    fmt::format(why, std::forward<Args>(args)...));
}

Result<void> check_path(const std::string& path, const std::string& entry) {
  if (path.size() > kMaxPath)
    return base::fail(Code::Exhausted, "the path {} has {} bytes, more than {}", base::quote(path),
                      path.size(), kMaxPath);
  if (path.find('\0') != std::string::npos) return refused(entry, "has a zero byte in its name");
  for (std::string_view rest = path;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    if (name.empty()) return refused(entry, "is absolute, or has an empty name in it");
    if (name == "." || name == "..") return refused(entry, "has . or .. in it");
    if (name.size() > kMaxName) return refused(entry, "has a name of {} bytes", name.size());
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Result<void> check_attributes(const DataEntry& entry) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : entry.attributes) {
    bytes += name.size() + value.size();
    const bool list = is_acl_name(name) && is_data_acl(value) &&
                      (name == kAccessList || entry.kind == DataKind::Folder);
    const bool known = is_user_attribute(name) || list;
    if (!known || bytes > kMaxDataAttributeBytes)
      return refused(entry.path, "has an attribute that no user may give it");
  }
  return {};
}

// As bytes, but what lies in a folder comes right after it.
bool comes_before(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return std::ranges::lexicographical_compare(a, b, std::ranges::less(), rank, rank);
}

std::uint64_t beginning_of_hash(std::uint64_t part, const std::string& path) {
  return std::stoull(base::sha256_hex(name_in_archive(part, path)).substr(0, 16), nullptr, 16);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

DataLimits DataLimits::of_disk(std::uint64_t bytes) {
  constexpr std::uint64_t kFewest = 1'024;
  constexpr std::uint64_t kSmallestName = 12;
  DataLimits limits;
  limits.total_bytes = bytes;
  limits.entries = std::max(kFewest, bytes / kSmallestName);
  return limits;
}

std::string name_in_archive(std::uint64_t part, const std::string& path) {
  const std::string root = part == 0 ? std::string("data") : fmt::format("deep/{}", part);
  return path.empty() ? root : root + "/" + path;
}

std::string_view to_string(DataKind kind) {
  switch (kind) {
    case DataKind::File:
      return "file";
    case DataKind::Folder:
      return "folder";
    case DataKind::Link:
      return "link";
    case DataKind::HardLink:
      return "hard_link";
  }
  return "";
}

void SegmentMap::close() {
  if (last_.length > 0) hash_.update(fmt::format("{} {}\n", last_.offset, last_.length));
}

void SegmentMap::add(const DataSegment& segment) {
  if (segment.length == 0) return;
  if (count_ > 0 && last_.offset + last_.length == segment.offset) {
    last_.length += segment.length;
    return;
  }
  close();
  last_ = segment;
  ++count_;
}

std::string SegmentMap::digest(std::uint64_t size) {
  const bool whole = count_ == 0 ? size == 0 : count_ == 1 && last_.length == size;
  if (whole) return "";
  close();
  return hash_.finish();
}

bool is_user_attribute(std::string_view name) {
  constexpr std::string_view kUsers = "user.";
  return name.size() > kUsers.size() && name.size() <= kMaxName && name.starts_with(kUsers) &&
         name.find('\0') == std::string_view::npos;
}

Result<void> check_data_entry(const DataEntry& entry) {
  if (entry.path.empty()) {
    if (entry.kind != DataKind::Folder) return refused(entry.path, "must be a folder");
  } else {
    TRY(check_path(entry.path, entry.path));
  }
  TRY(check_attributes(entry));
  if (entry.mtime_nanoseconds < 0 || entry.mtime_nanoseconds >= kNanoseconds)
    return refused(entry.path, "has a time that is none");
  switch (entry.kind) {
    case DataKind::File:
      if (entry.size > kMaxDataFile)
        return base::fail(Code::Exhausted, "the file {} is longer than any disk allows",
                          base::quote(entry.path));
      return {};
    case DataKind::Folder:
      return {};
    case DataKind::Link:
      if (entry.target.empty() || entry.target.size() > kMaxTarget ||
          entry.target.find('\0') != std::string::npos)
        return refused(entry.path, "is a link that leads nowhere");
      return {};
    case DataKind::HardLink:
      return check_path(entry.target, entry.path);
  }
  return {};
}

Result<void> DataOrder::add(const DataEntry& entry) {
  if (parts_.empty()) {
    if (entry.part != 0 || !entry.path.empty())
      return refused(entry.path, "lies in no folder of the archive");
    parts_.emplace_back();
    folder_was_last_ = true;
    return {};
  }
  if (entry.part == last_part_ + 1) return begin_part(entry);
  while (!parts_.empty() && parts_.back().number != entry.part) {
    parts_.pop_back();
    // What it continued has ended with it.
    if (!parts_.empty()) parts_.back().folders.pop_back();
  }
  if (parts_.empty()) return refused(entry.path, "lies in no folder of the archive");
  TRY(place(parts_.back(), entry));
  folder_was_last_ = entry.kind == DataKind::Folder;
  if (entry.kind == DataKind::HardLink) {
    const bool all_known = files_.size() < kMaxKnownFiles;
    if (all_known && !files_.contains(beginning_of_hash(entry.target_part, entry.target)))
      return refused(entry.path, "is a hard link to {}, which is not a file of the archive",
                     base::quote(entry.target));
  } else if (entry.kind != DataKind::Folder && files_.size() < kMaxKnownFiles) {
    files_.insert(beginning_of_hash(entry.part, entry.path));
  }
  return {};
}

Result<void> DataOrder::begin_part(const DataEntry& entry) {
  if (!entry.path.empty() || entry.kind != DataKind::Folder || !folder_was_last_)
    return refused(entry.path, "lies in a part that continues no folder");
  folder_was_last_ = false;
  parts_.push_back({.number = ++last_part_, .previous = {}, .folders = {0}});
  return {};
}

Result<void> DataOrder::place(Part& part, const DataEntry& entry) {
  if (entry.path == part.previous) return refused(entry.path, "comes twice");
  if (!comes_before(part.previous, entry.path))
    return refused(entry.path, "comes twice, or too late");
  const std::string parent = parent_of(entry.path);
  const auto is_parent = [&](std::uint32_t length) {
    return length == parent.size() && part.previous.starts_with(parent);
  };
  while (!part.folders.empty() && !is_parent(part.folders.back())) part.folders.pop_back();
  if (part.folders.empty()) return refused(entry.path, "lies in no folder of the archive");
  part.previous = entry.path;
  if (entry.kind == DataKind::Folder)
    part.folders.push_back(static_cast<std::uint32_t>(entry.path.size()));
  return {};
}

}  // namespace granary::wire

#include "wire/data_entry.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kMaxName = 255;      // of one part of a path, on every file system in use
constexpr std::size_t kMaxTarget = 4'095;  // of a symbolic link
constexpr std::uint64_t kMaxFileBytes = 1ULL << 44;  // what ext4 allows, with its holes
constexpr std::int64_t kNanoseconds = 1'000'000'000;

template <class... Args>
base::Failure refused(const std::string& path, fmt::format_string<Args...> why, Args&&... args) {
  return base::fail(Code::InvalidArgument, "the archive's entry {} {}", base::quote(path),
                    fmt::format(why, std::forward<Args>(args)...));
}

Result<void> check_path(const std::string& path, const std::string& entry,
                        const DataLimits& limits) {
  if (path.size() > limits.path_bytes)
    return base::fail(Code::Exhausted, "the path {} has {} bytes, more than {}", base::quote(path),
                      path.size(), limits.path_bytes);
  if (path.find('\0') != std::string::npos) return refused(entry, "has a zero byte in its name");
  std::size_t depth = 0;
  for (std::string_view rest = path;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    if (name.empty()) return refused(entry, "is absolute, or has an empty name in it");
    if (name == "." || name == "..") return refused(entry, "has . or .. in it");
    if (name.size() > kMaxName) return refused(entry, "has a name of {} bytes", name.size());
    if (++depth > limits.depth)
      return base::fail(Code::Exhausted, "the path {} is more than {} folders deep",
                        base::quote(path), limits.depth);
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Result<void> check_attributes(const DataEntry& entry) {
  if (entry.attributes.size() > kMaxDataAttributes)
    return refused(entry.path, "has more than {} attributes", kMaxDataAttributes);
  for (const auto& [name, value] : entry.attributes) {
    if (!is_data_attribute(name) || value.size() > kMaxDataAttributeBytes)
      return refused(entry.path, "has an attribute that no user may give it");
  }
  return {};
}

// As bytes, but what lies in a folder comes right after it.
bool comes_before(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return std::ranges::lexicographical_compare(a, b, std::ranges::less(), rank, rank);
}

std::uint64_t beginning_of_hash(const std::string& path) {
  return std::stoull(base::sha256_hex(path).substr(0, 16), nullptr, 16);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

DataLimits DataLimits::of_disk(std::uint64_t bytes) {
  constexpr std::uint64_t kFewest = 1'024;
  DataLimits limits;
  limits.total_bytes = bytes;
  limits.entries = std::max(kFewest, bytes / 4'096);
  return limits;
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
  if (last_.length > 0) text_ += fmt::format("{} {}\n", last_.offset, last_.length);
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
  return base::sha256_hex(text_);
}

bool is_data_attribute(std::string_view name) {
  const auto plain = [](char c) { return c > ' ' && c < 0x7f && c != '='; };
  return name.size() > 5 && name.size() <= kMaxName && name.starts_with("user.") &&
         std::ranges::all_of(name, plain);
}

Result<void> check_data_entry(const DataEntry& entry, const DataLimits& limits) {
  if (entry.path.empty()) {
    if (entry.kind != DataKind::Folder) return refused(entry.path, "must be a folder");
  } else {
    TRY(check_path(entry.path, entry.path, limits));
  }
  TRY(check_attributes(entry));
  if (entry.mtime_nanoseconds < 0 || entry.mtime_nanoseconds >= kNanoseconds)
    return refused(entry.path, "has a time that is none");
  switch (entry.kind) {
    case DataKind::File:
      if (entry.size > kMaxFileBytes)
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
      return check_path(entry.target, entry.path, limits);
  }
  return {};
}

Result<void> DataOrder::add(const DataEntry& entry) {
  if (folders_.empty()) {
    if (!entry.path.empty()) return refused(entry.path, "lies in no folder of the archive");
    folders_.push_back(entry.path);
    return {};
  }
  if (entry.path == previous_) return refused(entry.path, "comes twice");
  if (!comes_before(previous_, entry.path)) return refused(entry.path, "comes twice, or too late");
  const std::string parent = parent_of(entry.path);
  while (!folders_.empty() && folders_.back() != parent) folders_.pop_back();
  if (folders_.empty()) return refused(entry.path, "lies in no folder of the archive");
  previous_ = entry.path;
  switch (entry.kind) {
    case DataKind::File:
      files_.insert(beginning_of_hash(entry.path));
      break;
    case DataKind::Folder:
      folders_.push_back(entry.path);
      break;
    case DataKind::Link:
      break;
    case DataKind::HardLink:
      if (!files_.contains(beginning_of_hash(entry.target)))
        return refused(entry.path, "is a hard link to {}, which is no file of the archive",
                       base::quote(entry.target));
      break;
  }
  return {};
}

}  // namespace granary::wire

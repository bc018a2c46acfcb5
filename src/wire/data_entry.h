// One file, folder or link of a data archive, the rules that it must keep, and the order that
// entries come in: the same for whoever packs and whoever unpacks. Value types; no input or output.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "wire/data_archive.h"

namespace granary::wire {

enum class DataKind { File, Folder, Link, HardLink };
std::string_view to_string(DataKind kind);

struct DataEntry {
  DataKind kind = DataKind::File;
  std::string path;  // below the data folder, any bytes; empty: that folder itself
  mode_t mode = 0;   // permission bits and, of folders, the sticky one
  std::int64_t mtime_seconds = 0;
  std::int64_t mtime_nanoseconds = 0;
  std::uint64_t size = 0;  // of a file, holes included
  std::string target;      // of a link, as it is; of a hard link, a path like the above
  std::map<std::string, std::string> attributes;  // "user.*", of files and folders
};

// A part of a file that is stored; between them are holes.
struct DataSegment {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
// What names the segments in the contents: empty when the file is one whole.
class SegmentMap final {
 public:
  // In order; what touches the one before becomes a part of it.
  void add(const DataSegment& segment);
  // Hex digits, or empty when the segments are all of a file of this size. Once.
  std::string digest(std::uint64_t size);

 private:
  void close();
  std::string text_;
  DataSegment last_;
  std::size_t count_ = 0;
};

// Errors: InvalidArgument, Exhausted (a bound).
base::Result<void> check_data_entry(const DataEntry& entry, const DataLimits& limits);

inline constexpr std::size_t kMaxDataAttributes = 64;
inline constexpr std::size_t kMaxDataAttributeBytes = 4096;  // ext4 keeps them in one block
// A name that a data archive keeps: a user's, and printable.
bool is_data_attribute(std::string_view name);

// Holds entries to their order, which makes it visible that none comes twice and that each lies in
// a folder of the archive, with little memory.
class DataOrder final {
 public:
  // Errors: InvalidArgument.
  base::Result<void> add(const DataEntry& entry);

 private:
  std::string previous_;
  std::vector<std::string> folders_;  // from the root down to the last entry's
  // Of the paths of files, for hard links: the beginnings of their hashes. Two that are equal by
  // somebody's effort let a link pass that unpacking then refuses.
  std::unordered_set<std::uint64_t> files_;
};

}  // namespace granary::wire

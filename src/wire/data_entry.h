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

#include "base/hash.h"
#include "base/result.h"
#include "wire/data_archive.h"

namespace granary::wire {

enum class DataKind { File, Folder, Link, HardLink };
std::string_view to_string(DataKind kind);

struct DataEntry {
  DataKind kind = DataKind::File;
  std::uint64_t part = 0;  // 0: the data folder; else the part that it lies in
  std::string path;        // below it, any bytes; empty: the part's folder itself
  mode_t mode = 0;         // permission bits and the sticky one
  std::int64_t mtime_seconds = 0;
  std::int64_t mtime_nanoseconds = 0;
  std::uint64_t size = 0;         // of a file, holes included
  std::string target;             // of a link, as it is; of a hard link, a path like the above
  std::uint64_t target_part = 0;  // of a hard link
  // Of files and folders: "user.*", and access lists (wire/data_acl.h).
  std::map<std::string, std::string> attributes;
};

// A part of a file that is stored; between them are holes.
struct DataSegment {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
// Each is a block of the file at least and takes 100 bytes of memory to read, so there are more
// only of one file of 16 GiB, beside as many holes; the smaller ones of them are filled, then.
inline constexpr std::size_t kMaxSegments = 4'000'000;

// What names the segments in the contents: empty when the file is one whole.
class SegmentMap final {
 public:
  // In order; what touches the one before becomes a part of it.
  void add(const DataSegment& segment);
  // Hex digits, or empty when the segments are all of a file of this size. Once.
  std::string digest(std::uint64_t size);

 private:
  void close();
  base::Sha256 hash_;
  DataSegment last_;
  std::size_t count_ = 0;
};

// "data", "data/a/b", "deep/3/c": what an entry is called in the archive.
std::string name_in_archive(std::uint64_t part, const std::string& path);

// What ext4 allows, with its holes.
inline constexpr std::uint64_t kMaxDataFile = 1ULL << 44;

// What no file system takes. Errors: InvalidArgument, Exhausted (a bound).
base::Result<void> check_data_entry(const DataEntry& entry);

// Of one file or folder, names and values together: more than twice what ext4 keeps of one, and
// what tar readers take. More of a file on another file system is left out.
inline constexpr std::size_t kMaxDataAttributeBytes = 256U << 10;
// A name that a data archive keeps: a user's, of any bytes.
bool is_user_attribute(std::string_view name);

// Holds entries to their order, which makes it visible that none comes twice and that each lies in
// a folder of the archive, with little memory.
class DataOrder final {
 public:
  // Errors: InvalidArgument.
  base::Result<void> add(const DataEntry& entry);

 private:
  struct Part {
    std::uint64_t number = 0;
    std::string previous;  // path of the last entry in it
    // Of the folders that the last entry lies in, or is: the lengths of their paths, all of them
    // beginnings of `previous`. 0 is the part's own folder.
    std::vector<std::uint32_t> folders{0};
  };
  base::Result<void> begin_part(const DataEntry& entry);
  base::Result<void> place(Part& part, const DataEntry& entry);

  std::vector<Part> parts_;  // the one that the last entry lies in, and those that it continues
  std::uint64_t last_part_ = 0;
  bool folder_was_last_ = false;
  // What hard links may lead to: the beginnings of their names' hashes. Two that are equal by
  // somebody's effort, or more of them than memory is spent on, let a link pass that unpacking then
  // refuses.
  std::unordered_set<std::uint64_t> files_;
};

// 40 bytes of memory for each.
inline constexpr std::size_t kMaxKnownFiles = 4'000'000;

}  // namespace granary::wire

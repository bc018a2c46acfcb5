// An account's data as one file: what an export holds and a restore takes. A pax tar archive in one
// zstd frame, which any tar unpacks (`tar --zstd -xf FILE`):
//
//   format          the words "granary data archive 2": what this is, and in which version
//   data, data/...  everything below /data: files (with their holes, modes, times, user attributes
//                   and access lists), folders, symbolic links as they are, hard links to both. A
//                   folder comes before what is in it, names in the order of their bytes. Who owns
//                   it is not kept: all of it is the account's.
//   deep/1, ...     what is in a folder whose path is longer than kDataPartPath, which no tar could
//                   unpack in its place: the tree goes on in a part of its own, and from there in
//                   the next one. A part's folder comes right after the one that it continues, and
//                   what is in it in the place of what would be in that.
//   contents.json   last: each entry in the archive's order with the hash of its contents, what was
//                   left out, and the totals; written and compared line by line, so of bounded
//                   memory (see wire/data_contents.h)
//
// Whatever an app could make on its disk can be packed, and unpacked on a disk of that size: what
// bounds there are, no app exceeds. What no archive holds is counted (base/left_out.h). Memory is
// bounded but for what the tree itself has: of a folder in 4,000 folders its path twice, of each
// file of several names 50 bytes.
//
// Blocking, for a worker; any thread. An archive may come from anybody: see check_data. Not for
// releases: see bundle.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/left_out.h"
#include "base/result.h"

namespace granary::wire {

inline constexpr int kDataArchiveVersion = 2;
// The first one had no parts, no access lists, and only a number for what was left out.
inline constexpr int kOldestDataArchiveVersion = 1;

// Bytes of a folder's path from which on what is in it goes into a part: a name more, and a tar
// still unpacks it.
inline constexpr std::size_t kDataPartPath = 2'048;

// Bounds of an archive, for whoever reads it: against archives that come from outside. There is
// none for whoever writes one, and none on how well it packs: a gigabyte of one letter packs to 33
// KB and is somebody's data. What a small archive may cost its reader is bounded by the totals.
struct DataLimits {
  // Contents as they are stored, holes not counted: what ext4 has at most.
  std::uint64_t total_bytes = 1ULL << 44;
  // Files, folders and links. 200 bytes of disk for each, packed to some 10, while it is read.
  std::uint64_t entries = 1ULL << 40;

  // What an account's disk of this size may hold. A name takes 12 bytes of it at least, and may be
  // nothing but one more name of a file.
  static DataLimits of_disk(std::uint64_t bytes);
};

struct DataTotals {
  std::uint64_t files = 0;  // regular; a hard link to one counts as a link
  std::uint64_t folders = 0;
  std::uint64_t links = 0;       // of both kinds
  std::uint64_t hard_links = 0;  // of these, those that are one more name of a file or link
  std::uint64_t bytes = 0;       // of the files' contents, holes not counted
  std::uint64_t changed = 0;     // files that changed while they were read
  std::uint64_t disk_bytes = 0;  // of the disk that it was packed from; 0: of no disk
  base::LeftOut left_out;
  bool operator==(const DataTotals&) const = default;
};

struct DataArchiveInfo {
  std::uint64_t archive_bytes = 0;
  std::string sha256;  // of the archive's file, 64 hex digits
  DataTotals totals;
  bool operator==(const DataArchiveInfo&) const = default;
};

// Called every megabyte or so; an error of it ends the work, which returns it.
using DataPulse = std::function<base::Result<void>()>;

// Whether anybody writes to the folder meanwhile. Of a live one each file is as it was when its
// turn came, at its length at that moment, so the whole is not of one moment.
enum class DataSource { Still, Live };

struct DataPackOptions {
  DataSource source = DataSource::Still;
  // The root of a file system, whose lost+found is its own and not anybody's data.
  bool is_file_system = false;
  std::uint64_t disk_bytes = 0;  // of the disk that it is; see DataTotals
  // Names of one folder, and of all folders on the way, that are in memory at once. Of a folder
  // with more its names are read several times over.
  std::size_t names_in_memory = 1'000'000;
  DataPulse pulse;
};

// Writes the data in `folder` to the new file `archive` (mode 0600), which is on the disk when this
// returns; nothing is left of it on failure.
// Errors: AlreadyExists, NoRoom, Conflict (a still folder changed).
base::Result<DataArchiveInfo> pack_data(const std::string& folder, const std::string& archive,
                                        const DataPackOptions& options);

// Reads the archive to its end and writes nothing: what it holds, if all of it is right. Refused
// are, with the reason: what is no such archive or of a newer version; what is cut short, altered
// or not what its contents say; absolute paths, `..`, entries twice, out of order or in no folder;
// hard links to anything but a file or a link of the archive; devices; what exceeds a bound.
// Errors: InvalidArgument, Exhausted (a bound), NotFound, the pulse's.
base::Result<DataArchiveInfo> check_data(const std::string& archive, const DataLimits& limits,
                                         const DataPulse& pulse = {});

struct DataUnpackOptions {
  DataLimits limits;
  // Whose all of it is to be. Another's than the caller's needs root.
  uid_t uid = 0;
  gid_t gid = 0;
  DataPulse pulse;
};
// Checks and unpacks in one go into `folder`, which is empty and whose mode and time become the
// archive's. Nothing is written outside of it, whatever the archive says: each step goes from an
// open folder to one name, never through a link. Setuid and setgid bits are dropped. After a
// failure the folder holds a part, and is to be thrown away; nothing is synced.
// Errors: as check_data; NoRoom when the disk is full.
base::Result<DataArchiveInfo> unpack_data(const std::string& archive, const std::string& folder,
                                          const DataUnpackOptions& options);

}  // namespace granary::wire

// An account's data as one file: what an export holds and a restore takes. A pax tar archive in one
// zstd frame, which any tar unpacks (`tar --zstd -xf FILE`):
//
//   format          the words "granary data archive 1": what this is, and in which version
//   data, data/...  everything below /data: files (with their holes, modes, times and user
//                   attributes), folders, symbolic links as they are, hard links. A folder comes
//                   before what is in it, names in the order of their bytes. Who owns it is not
//                   kept: all of it is the account's. Named pipes, sockets and devices are left
//                   out and counted.
//   contents.json   last: each entry in the archive's order with the hash of its contents, and the
//                   totals; written and compared line by line, so of bounded memory (see
//                   wire/data_contents.h)
//
// Blocking, for a worker; any thread. An archive may come from anybody: see check_data. Not for
// releases: see bundle.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace granary::wire {

inline constexpr int kDataArchiveVersion = 1;

// Bounds of an archive, the same for whoever writes and reads it.
//
// There is none on how well it packs: a gigabyte of one letter packs to 33 KB and is somebody's
// data. What a small archive may cost its reader is bounded by the totals.
struct DataLimits {
  // Contents as they are stored, holes not counted: no more than the disk that they are for.
  std::uint64_t total_bytes = 1ULL << 40;
  // Files, folders and links. 8 bytes of memory and 200 of disk for each while it is read.
  std::uint64_t entries = 5'000'000;
  // Of a path: what the kernel takes in one call.
  std::size_t path_bytes = 4'095;
  // Folders in folders: a descriptor each.
  std::size_t depth = 256;

  // What an account's disk of this size may hold: its file system has an inode for each 4 KiB at
  // most.
  static DataLimits of_disk(std::uint64_t bytes);
};

struct DataTotals {
  std::uint64_t files = 0;  // regular; a hard link to one counts as a link
  std::uint64_t folders = 0;
  std::uint64_t links = 0;     // of both kinds
  std::uint64_t bytes = 0;     // of the files' contents, holes not counted
  std::uint64_t left_out = 0;  // named pipes, sockets, devices
  std::uint64_t changed = 0;   // files that changed while they were read
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
  DataLimits limits;
  DataPulse pulse;
};

// Writes the data in `folder` to the new file `archive` (mode 0600), which is on the disk when this
// returns; nothing is left of it on failure.
// Errors: AlreadyExists, NoRoom, Exhausted (a bound), Conflict (a still folder changed).
base::Result<DataArchiveInfo> pack_data(const std::string& folder, const std::string& archive,
                                        const DataPackOptions& options);

// Reads the archive to its end and writes nothing: what it holds, if all of it is right. Refused
// are, with the reason: what is no such archive or of a newer version; what is cut short, altered
// or not what its contents say; absolute paths, `..`, entries twice, out of order or in no folder;
// hard links to anything but a file of the archive; devices; what exceeds a bound.
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

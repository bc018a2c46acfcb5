// Files and folders. Blocking: call from a worker where it may take long. Paths are absolute and
// made by wire/paths.h from checked parts, never taken from outside.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

// The whole file. Errors: NotFound, Exhausted when longer than `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);
// At most `count` bytes from `offset`; fewer at the end.
Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t count);
Result<void> write_all(int fd, std::string_view bytes);

// Whether a replaced file must survive a power cut before the call returns.
enum class Durability { Synced, Cached };
// Written beside, then renamed over: readers see the old or the new, never a part.
Result<void> replace_file(const std::string& path, std::string_view bytes, mode_t mode,
                          Durability durability);

// Adds to the end of the file, made where it is missing. Resolves to its size afterwards.
Result<std::uint64_t> append_file(const std::string& path, std::string_view bytes, mode_t mode);

// `flags` as for open(2); O_CLOEXEC is added.
Result<Fd> open_file(const std::string& path, int flags, mode_t mode);
// mkdir -p; an existing folder keeps its mode.
Result<void> make_folders(const std::string& path, mode_t mode);
// A folder with exactly this owner and mode, made if it is missing.
struct Ownership {
  uid_t uid;
  gid_t gid;
};
Result<void> own_folder(const std::string& path, mode_t mode, Ownership owner);
// What was written to it is there after a power cut; its name needs sync_folder().
Result<void> sync_file(int fd);
Result<void> sync_folder(const std::string& path);
// Everything written so far to the file system that holds `path`: one wait for a whole tree.
Result<void> sync_filesystem(const std::string& path);
// What may still be written to the file system that holds `path`.
Result<std::uint64_t> free_bytes(const std::string& path);
// The two names change places at once: there is no moment with one of them missing.
Result<void> exchange_files(const std::string& a, const std::string& b);
// Of a file itself, never of what a link leads to.
Result<void> give_file(const std::string& path, Ownership owner);
Result<Ownership> owner_of(const std::string& path);
Result<void> rename_file(const std::string& from, const std::string& to);
// Success also when there is none.
Result<void> remove_file(const std::string& path);
// Never follows links, never leaves the file system it begins on. Success when there is none.
Result<void> remove_tree(const std::string& path);
bool exists(const std::string& path);
// Equal for as long as nobody writes to the file or puts another one in its place. Errors:
// NotFound.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t changed = 0;  // nanoseconds
  bool operator==(const FileStamp&) const = default;
};
Result<FileStamp> file_stamp(const std::string& path);
// Names without . and .., sorted.
Result<std::vector<std::string>> list_folder(const std::string& path);

// An anonymous in-memory file with these bytes, positioned at 0.
Result<Fd> memory_file(std::string_view name, std::string_view bytes);

}  // namespace granary::base::os

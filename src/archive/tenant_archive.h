// Tenant archives as files: README.md draws their form. Blocking, for a worker; stateless.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace granary::archive {

inline constexpr std::int64_t kFormat = 1;

// Files that go into an archive, or come out of one.
struct Members {
  std::string release;  // path of the bundle; empty: there is none
  std::string data;     // path
};

struct Written {
  std::uint64_t bytes = 0;
  std::string sha256;  // of the whole file
};

// Makes the archive at `path`, durably, replacing what is there. `document` is the caller's;
// "format", and of "release" and "data" the members "bytes" and "sha256", are set here. Errors:
// NotFound (a member), Exhausted (no room), of the system.
base::Result<Written> write(const std::string& path, base::json::object document,
                            const Members& members);

// The document of an archive. Errors: NotFound, InvalidArgument (no archive, or damaged),
// NotSupported (made by a newer version).
base::Result<base::json::object> read_document(const std::string& path);

// The document, after everything but the inside of the members was checked: the one order of names,
// sizes and hashes, and nothing beyond. Errors: as read_document.
base::Result<base::json::object> check(const std::string& path);

// The same, and the members' bytes go to the files of `to` (made anew, mode 0600); those with an
// empty path are only checked. After an error neither file is there.
base::Result<base::json::object> extract(const std::string& path, const Members& to);

// Whole file, in hex. Errors: NotFound.
base::Result<Written> measure(const std::string& path);

}  // namespace granary::archive

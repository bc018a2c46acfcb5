// A release's files as one file: packed by the client, checked and packed anew by control,
// unpacked by the agent. A bundle is a tar archive (GNU long names) in one zstd frame. Its entries
// are sorted, owned by 0:0, dated 0, with mode 0644 or 0755, so equal folders give equal archives
// on any machine; the content hash is the SHA-256 of the archive:
//
//   zstd -dc BUNDLE | sha256sum
//
// Blocking, for a worker; any thread. Not for deciding what a release is: see release/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "wire/bundle_limits.h"

namespace granary::wire {

struct BundleInfo {
  std::string hash;                 // of the contents: 64 hex digits
  std::uint64_t bytes = 0;          // of the bundle itself
  std::uint64_t content_bytes = 0;  // of the files in it
  std::size_t files = 0;
  bool operator==(const BundleInfo&) const = default;
};

// What a rule has left out of a bundle. What lies in a folder that is left out is not counted.
struct LeftOut {
  std::string rule;       // the pattern as it was written, or what it is: "__pycache__"
  std::size_t files = 0;  // and links
  std::size_t folders = 0;
  std::string example;  // the first path
  std::string note;     // for people: how to keep it, or where the rule stands
  bool operator==(const LeftOut&) const = default;
};

struct Packed {
  BundleInfo bundle;
  std::vector<LeftOut> left_out;
  bool operator==(const Packed&) const = default;
};

// Whether the folder is an app's as its author keeps it, of which some things are left out
// (wire/bundle_filter.h), or already the exact contents of a bundle.
enum class Source { AppFolder, BundleContents };

struct PackOptions {
  Source source = Source::AppFolder;
  BundleLimits limits;
  // Files of an app's folder that are packed although they look like secrets.
  std::vector<std::string> include;
};

// Writes the bundle of `folder` to `bundle_path` (mode 0600), replacing what is there; leaves
// nothing behind on failure.
// Errors: InvalidArgument (what a release may not hold), Refused (a secret), Exhausted (a bound),
// NotFound, Conflict (the folder changed meanwhile), of the system.
base::Result<Packed> pack(const std::string& folder, const std::string& bundle_path,
                          const PackOptions& options);

// Unpacks a bundle, from whomever it comes, into the new folder `target`, whose parent exists. It
// need not be in canonical form, but each entry keeps the rules (wire/bundle_entry.h), comes once
// and after its folder. Nothing is ever written outside `target`; on failure nothing is left.
// Errors: InvalidArgument (no bundle, a forbidden entry), Exhausted (a bound), AlreadyExists.
base::Result<BundleInfo> extract(const std::string& bundle_path, const std::string& target,
                                 const BundleLimits& limits);

struct UnpackOptions {
  BundleLimits limits;
  // Done to the folder once its contents are right, before it has its name. May add to it.
  std::function<void(const std::string& folder)> prepare;
};
// Makes `target` the contents of the bundle with this hash. Present means complete: it is built in
// `target`.unpacking, synced and renamed. Idempotent, also after being killed at any moment; one
// caller at a time for one target.
// Errors: as extract, and DataLoss when the contents do not have this hash.
base::Result<void> unpack(const std::string& bundle_path, const std::string& target,
                          const std::string& hash, const UnpackOptions& options);

}  // namespace granary::wire

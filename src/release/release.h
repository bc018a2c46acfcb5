// Creating a release: the composition of bundle, manifest and frontend. What it makes is content:
// files named by hash, the same whoever makes them and however often. Rows about releases are the
// control plane's: it calls this first, then records what it returns. Blocking (seconds for large
// apps), for a worker; each call with a work folder of its own.
#pragma once

#include <functional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "release/manifest.h"
#include "wire/bundle_limits.h"

namespace granary::release {

struct ReleaseInfo {
  std::string hash;    // of the contents: 64 hex digits
  base::ReleaseId id;  // the name given, or "<app>-<first 12 digits of the hash>"
  Manifest manifest;
  std::uint64_t bytes = 0;  // of the bundle
  std::uint64_t content_bytes = 0;
  std::size_t files = 0;
  bool operator==(const ReleaseInfo&) const = default;
};

struct ReleaseOptions {
  std::string bundles;    // wire::Paths::bundles(): HASH.tar.zst is put there
  std::string frontends;  // wire::Paths::frontends(): HASH/ is put there, when there is a frontend
  // A folder that does not exist yet, of this call alone, on the same file system as the two. It
  // is gone afterwards; what a killed call left may be removed at any time.
  std::string work;
  std::string name;  // empty: made from app and hash
  wire::BundleLimits limits;
  ManifestAge age = ManifestAge::New;
  // Asked before anything is put in place; its error is the call's. Empty: all are welcome.
  std::function<base::Result<void>(const Manifest& manifest)> accept = {};
};

// A release's name: 1 to 63 of a-z, 0-9, ., _ and -, beginning with a letter or digit and ending
// with one, without "..". Errors: InvalidArgument.
base::Result<base::ReleaseId> parse_release_name(std::string_view text);

// From an uploaded bundle, which is trusted in nothing: it is unpacked, its manifest checked, and
// packed anew in canonical form. Idempotent: the same contents are the same release, and are put
// in place once. Nothing is put in place on failure.
// Errors: InvalidArgument (bundle, manifest or name; with file:line:column where there is one),
// NotSupported (manifest keys), Exhausted (a bound), NoRoom.
base::Result<ReleaseInfo> create_release_from_bundle(const std::string& bundle_file,
                                                     const ReleaseOptions& options);

// From an app's folder on this machine: packs it (wire/bundle.h), then as above.
base::Result<ReleaseInfo> create_release(const std::string& folder, const ReleaseOptions& options);

}  // namespace granary::release

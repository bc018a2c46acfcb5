// Makes a release of a folder on this machine: packs it, sends it, waits for what control makes of
// it. Used by `release create` and by `verify`.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "wire/bundle.h"

namespace granary::cli {

struct UploadOptions {
  std::string folder;
  std::string name;                  // empty: the platform's choice
  std::vector<std::string> include;  // files that are packed although they look like secrets
  bool new_app = false;              // of another app than the installation has
};

struct Uploaded {
  api_wire::ReleaseDocument release;
  std::vector<wire::LeftOut> left_out;
};

// Tells what was packed and what was left out. Errors: InvalidArgument (no granary.yaml, a bad
// manifest, forbidden files), Refused (files that look like secrets), and those of the API.
base::Result<Uploaded> upload_release(Session& session, const UploadOptions& options);

}  // namespace granary::cli

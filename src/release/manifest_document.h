// A manifest together with what its text claims about the app's files, and where: so that a check
// against the folder can point to the line. Internal to the parser of manifests.
#pragma once

#include <string>
#include <vector>

#include "release/manifest.h"
#include "release/manifest_fields.h"

namespace granary::release {

// A path that the manifest names and that must be there.
struct PathClaim {
  // Words: a program's name with blanks in it, which is a file of the app or several words.
  enum class Kind { Folder, File, Program, Words };
  Kind kind = Kind::File;
  std::string path;  // relative to the app's folder; empty: elsewhere
  Mark mark;
  std::string name;     // "frontend.root"
  std::string written;  // of a program: as it stands in the manifest
};

struct ManifestDocument {
  Manifest manifest;
  std::vector<PathClaim> claims;
  ManifestAge age = ManifestAge::New;
};

base::Result<ManifestDocument> parse_document(std::string_view yaml, std::string_view file_name,
                                              ManifestAge age);

// The member `services`, and what it claims. In manifest_services.cc.
base::Result<void> parse_services(const Field& services, ManifestDocument& document);

}  // namespace granary::release

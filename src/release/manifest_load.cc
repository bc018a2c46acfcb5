#include "base/os/file.h"
#include "base/os/folder.h"
#include "base/text.h"
#include "release/manifest_document.h"
#include "release/manifest_values.h"

namespace granary::release {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;
using base::os::EntryStatus;
using base::os::Folder;

// What lies at a path below a folder, without following links. Errors: NotFound, Refused (a link
// on the way).
Result<EntryStatus> status_below(const Folder& root, const std::string& path) {
  if (path.empty()) return base::fail(Code::NotFound, "it lies elsewhere");
  const std::size_t slash = path.find('/');
  if (slash == std::string::npos) return root.status(path);
  TRY_ASSIGN(const Folder next, root.open_folder(path.substr(0, slash)));
  return status_below(next, path.substr(slash + 1));
}

// What is wrong with a claim, or nothing. A program may be reached through links of the release.
std::string_view claim_fault(const PathClaim& claim, const Result<EntryStatus>& found) {
  const bool link = found ? found->kind == EntryKind::Link : found.error().code == Code::Refused;
  switch (claim.kind) {
    case PathClaim::Kind::Folder:
      if (link) return "is a link, or lies behind one";
      return found && found->kind == EntryKind::Folder ? "" : "is not a folder of the release";
    case PathClaim::Kind::File:
      if (link) return "is a link, or lies behind one";
      return found && found->kind == EntryKind::File ? "" : "is not a file of the release";
    case PathClaim::Kind::Program:
      if (link) return "";
      if (!found || found->kind != EntryKind::File) return "is not a file of the release";
      return (found->mode & 0111U) != 0 ? "" : "is not executable";
    case PathClaim::Kind::Words:
      return link || (found && found->kind == EntryKind::File)
                 ? ""
                 : "is not a program: write one word per list element";
  }
  return "";
}

std::string claim_advice(const PathClaim& claim) {
  switch (claim.kind) {
    case PathClaim::Kind::Folder:
      return "Name a folder of the release; is it built, and not listed in .granaryignore?";
    case PathClaim::Kind::File:
      return "Name a file of the release; is it built, and not listed in .granaryignore?";
    case PathClaim::Kind::Program:
      return "Name a program of the release and run `chmod +x` on it, or one that the silo has";
    case PathClaim::Kind::Words:
      return fmt::format("Write command: {}, with what follows it in the list",
                         list_of_words(claim.written));
  }
  return "";
}

Result<void> check_claims(const Folder& root, const ManifestDocument& document) {
  for (const PathClaim& claim : document.claims) {
    const std::string_view fault = claim_fault(claim, status_below(root, claim.path));
    if (fault.empty()) continue;
    return refuse(kManifestFile, claim.mark,
                  fmt::format("{}: {} {}", claim.name,
                              base::quote(claim.path.empty() ? claim.written : claim.path), fault),
                  claim_advice(claim));
  }
  return {};
}

}  // namespace

Result<Manifest> load_manifest(const std::string& folder, ManifestAge age) {
  TRY_ASSIGN(const Folder root, Folder::open(folder));
  auto file = root.open_file(std::string(kManifestFile));
  if (!file && file.error().code == Code::NotFound) {
    return base::fail_with_advice(
        Code::InvalidArgument, fmt::format("{} is missing at the root of the app", kManifestFile),
        "Write one, or name the folder that holds it; examples/ has some");
  }
  if (!file) return base::annotate(file.error(), "reading the manifest");
  TRY_ASSIGN(const std::string yaml, base::os::read_at(file->fd.get(), 0, kMaxManifestBytes + 1));
  TRY_ASSIGN(ManifestDocument document, parse_document(yaml, kManifestFile, age));
  TRY(check_claims(root, document));
  return std::move(document.manifest);
}

}  // namespace granary::release

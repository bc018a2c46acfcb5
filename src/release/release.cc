#include "release/release.h"

#include <algorithm>

#include "base/check.h"
#include "base/os/file.h"
#include "base/text.h"
#include "release/frontend.h"
#include "release/limits.h"
#include "wire/bundle.h"

namespace granary::release {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kIdDigits = 12;

// Removes the work folder with the call it belongs to.
class WorkFolder final {
 public:
  static Result<std::unique_ptr<WorkFolder>> create(const std::string& path) {
    INVARIANT(path.starts_with('/'));
    if (base::os::exists(path)) return base::fail(Code::AlreadyExists, "{} is in use", path);
    TRY(base::os::make_folders(path, 0700));
    return std::unique_ptr<WorkFolder>(new WorkFolder(path));
  }
  ~WorkFolder() { (void)base::os::remove_tree(path_); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  std::string upload() const { return path_ + "/upload.tar.zst"; }
  std::string tree() const { return path_ + "/tree"; }
  std::string bundle() const { return path_ + "/bundle.tar.zst"; }
  std::string frontend() const { return path_ + "/frontend"; }
  const std::string& path() const { return path_; }

 private:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<base::ReleaseId> release_id(const ReleaseOptions& options, const Manifest& manifest,
                                   const std::string& hash) {
  if (!options.name.empty()) return parse_release_name(options.name);
  return base::ReleaseId(manifest.app + "-" + hash.substr(0, kIdDigits));
}

// Content-addressed folders: one that is there already is this one.
Result<void> place_folder(const std::string& from, const std::string& to) {
  if (base::os::exists(to)) return {};
  auto renamed = base::os::rename_file(from, to);
  if (!renamed && base::os::exists(to)) return {};  // another call was quicker
  return renamed;
}

// Puts finished files in place. The bundle comes last: where it is, the frontend is.
Result<void> place(const WorkFolder& work, const ReleaseOptions& options, const ReleaseInfo& info) {
  TRY(base::os::sync_filesystem(work.path()));
  if (info.manifest.frontend) {
    TRY(place_folder(work.frontend(), options.frontends + "/" + info.hash));
    TRY(base::os::sync_folder(options.frontends));
  }
  TRY(base::os::rename_file(work.bundle(), options.bundles + "/" + info.hash + ".tar.zst"));
  return base::os::sync_folder(options.bundles);
}

Result<ReleaseInfo> create_in(const WorkFolder& work, const std::string& bundle_file,
                              const ReleaseOptions& options) {
  TRY(wire::extract(bundle_file, work.tree(), options.limits));
  ReleaseInfo info;
  TRY_ASSIGN(info.manifest, load_manifest(work.tree(), options.age));
  if (options.accept) TRY(options.accept(info.manifest));
  // Packed by our own hand, whatever the upload looked like: the hash names contents, and the
  // agent, which is root, reads nothing that a stranger formed.
  TRY_ASSIGN(const wire::Packed packed, wire::pack(work.tree(), work.bundle(),
                                                   {.source = wire::Source::BundleContents,
                                                    .limits = options.limits,
                                                    .include = {}}));
  info.hash = packed.bundle.hash;
  info.bytes = packed.bundle.bytes;
  info.content_bytes = packed.bundle.content_bytes;
  info.files = packed.bundle.files;
  TRY_ASSIGN(info.id, release_id(options, info.manifest, info.hash));
  if (info.manifest.frontend) {
    TRY(build_frontend(work.tree(), *info.manifest.frontend, work.frontend(),
                       default_frontend_limits()));
  }
  TRY(place(work, options, info));
  return info;
}

}  // namespace

Result<base::ReleaseId> parse_release_name(std::string_view text) {
  const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto allowed = [&](char c) { return alnum(c) || c == '.' || c == '_' || c == '-'; };
  const bool fine = !text.empty() && text.size() <= kMaxReleaseName && alnum(text.front()) &&
                    alnum(text.back()) && std::ranges::all_of(text, allowed) &&
                    text.find("..") == std::string_view::npos;
  if (fine) return base::ReleaseId(std::string(text));
  return base::fail_with_advice(
      Code::InvalidArgument, fmt::format("{} is not a valid name for a release", base::quote(text)),
      "Use 1 to 63 of a-z, 0-9, ., _ and -, with a letter or digit at both ends: insight-1.4.2");
}

Result<ReleaseInfo> create_release_from_bundle(const std::string& bundle_file,
                                               const ReleaseOptions& options) {
  if (!options.name.empty()) TRY(parse_release_name(options.name));  // before the long work
  TRY_ASSIGN(const auto work, WorkFolder::create(options.work));
  return create_in(*work, bundle_file, options);
}

Result<ReleaseInfo> create_release(const std::string& folder, const ReleaseOptions& options) {
  if (!options.name.empty()) TRY(parse_release_name(options.name));
  TRY_ASSIGN(const auto work, WorkFolder::create(options.work));
  TRY(wire::pack(folder, work->upload(),
                 {.source = wire::Source::AppFolder, .limits = options.limits, .include = {}}));
  return create_in(*work, work->upload(), options);
}

}  // namespace granary::release

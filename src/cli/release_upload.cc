#include "cli/release_upload.h"

#include "base/ids.h"
#include "base/os/file.h"
#include "cli/text.h"
#include "wire/bundle.h"

namespace granary::cli {

using api_wire::ReleaseDocument;
using base::Code;
using base::Result;

namespace {

// A bundle on this machine, removed with the object.
class TemporaryBundle final {
 public:
  explicit TemporaryBundle(const Surroundings& surroundings)
      : path_(fmt::format("{}/granary-{}.tar.zst",
                          surroundings.environment("TMPDIR").value_or("/tmp"),
                          base::make_ulid(surroundings.clock.wall(), surroundings.rng))) {}
  ~TemporaryBundle() { (void)base::os::remove_file(path_); }
  TemporaryBundle(const TemporaryBundle&) = delete;
  TemporaryBundle& operator=(const TemporaryBundle&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// "1 file", "2 folders", "1 file and 2 folders".
std::string count_of(const wire::LeftOut& left_out) {
  if (left_out.files == 0) return counted(left_out.folders, "folder");
  if (left_out.folders == 0) return counted(left_out.files, "file");
  return counted(left_out.files, "file") + " and " + counted(left_out.folders, "folder");
}

void tell_sent(Session& session, const wire::BundleInfo& bundle) {
  session.tell(fmt::format("sent {}, {} packed as {}", counted(bundle.files, "file"),
                           human_bytes(bundle.content_bytes), human_bytes(bundle.bytes)));
}

// Also of a release that is refused: perhaps because of what is missing.
void tell_left_out(Session& session, const wire::Packed& packed) {
  for (const wire::LeftOut& left_out : packed.left_out)
    session.tell(safe(
        fmt::format("left out {}: {} ({})", count_of(left_out), left_out.rule, left_out.note)));
}

}  // namespace

Result<Uploaded> upload_release(Session& session, const UploadOptions& options) {
  if (!base::os::exists(options.folder + "/granary.yaml"))
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("there is no granary.yaml in {}", options.folder),
                                  "Give the folder whose root holds the app's manifest");
  const TemporaryBundle bundle(session.surroundings());
  wire::PackOptions packing;
  packing.include = options.include;
  TRY_ASSIGN(wire::Packed packed, wire::pack(options.folder, bundle.path(), packing));
  tell_left_out(session, packed);
  Query query{{"name", options.name}};
  if (options.new_app) query.emplace_back("new_app", "true");
  Uploaded uploaded;
  TRY_ASSIGN(uploaded.release, session.api().upload<ReleaseDocument>(
                                   with_query(path_of({"v1", "releases"}), query), bundle.path()));
  tell_sent(session, packed.bundle);
  uploaded.left_out = std::move(packed.left_out);
  return uploaded;
}

}  // namespace granary::cli

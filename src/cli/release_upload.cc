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

}  // namespace

Result<ReleaseDocument> upload_release(Session& session, const std::string& folder,
                                       const std::string& name) {
  if (!base::os::exists(folder + "/granary.yaml"))
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("there is no granary.yaml in {}", folder),
                                  "Give the folder whose root holds the app's manifest");
  const TemporaryBundle bundle(session.surroundings());
  TRY_ASSIGN(const wire::BundleInfo info, wire::pack(folder, bundle.path(), {}));
  session.tell(fmt::format("packed {} files, {} as {}", info.files, human_bytes(info.content_bytes),
                           human_bytes(info.bytes)));
  return session.api().upload<ReleaseDocument>(
      with_query(path_of({"v1", "releases"}), {{"name", name}}), bundle.path());
}

}  // namespace granary::cli

// Archives of tenants in the folder of archives: lifecycle's and the API's way to the archive room
// and to the releases. Lives on control's executor; reading and writing whole archives runs on a
// worker of its own, so that nothing small waits behind it.
#pragma once

#include "api/parts.h"
#include "app/wiring/intake.h"
#include "base/worker.h"
#include "lifecycle/lifecycle.h"
#include "wire/paths.h"

namespace granary::app {

class TenantArchives final : public lifecycle::Archives {
 public:
  struct Parts {  // all outlive this
    store::Store& store;
    base::Worker& worker;
    BundleIntake& releases;
  };
  TenantArchives(Parts parts, wire::Paths paths) : parts_(parts), paths_(std::move(paths)) {}

  base::Task<base::Result<lifecycle::ArchiveFile>> pack(std::string id,
                                                        lifecycle::ArchiveHead head) override;
  base::Task<base::Result<lifecycle::ArchiveHead>> head(std::string id) override;
  base::Task<base::Result<lifecycle::ArchiveHead>> unpack(std::string id, std::string transfer,
                                                          std::string actor) override;
  base::Task<base::Result<void>> remove(std::string id) override;
  base::Task<base::Result<std::vector<std::string>>> list() override;

  // A file that nobody has checked becomes archive `id`, or stays where it is and is refused.
  struct Taken {
    lifecycle::ArchiveFile file;
    lifecycle::ArchiveHead head;
  };
  base::Task<base::Result<Taken>> take(std::string file, std::string id);

 private:
  base::Task<base::Result<bool>> has_release(std::string hash);

  Parts parts_;
  wire::Paths paths_;
};

// The API's: an upload becomes an archive and its row.
class ArchiveUploads final : public api::ArchiveIntake {
 public:
  struct Parts {  // all outlive this
    TenantArchives& archives;
    lifecycle::Lifecycle& lifecycle;
    base::Worker& worker;  // not the one of whole archives: nothing here takes long
    const base::Clock& clock;
    base::Rng& rng;
    std::string folder;  // of archives
  };
  explicit ArchiveUploads(Parts parts) : parts_(std::move(parts)) {}

  base::Task<base::Result<registry::Archive>> take(std::string path, std::string actor) override;
  base::Task<base::Result<std::uint64_t>> free_bytes() override;

 private:
  Parts parts_;
};

// Exposed for its test: the document of an archive and back. Errors: InvalidArgument.
base::json::object to_document(const lifecycle::ArchiveHead& head);
base::Result<lifecycle::ArchiveHead> head_from(const base::json::object& document);

}  // namespace granary::app

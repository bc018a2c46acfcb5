// Archives of tenants as files, as lifecycle needs them: declared here by their consumer, made by
// app over the archive room, by a fake in tests.
#pragma once

#include <string>

#include "base/async.h"
#include "base/json.h"
#include "cloud/driver.h"

namespace granary::lifecycle {

// What an archive says of itself.
struct ArchiveHead {
  std::string tenant;                // the id it had
  std::string installation;          // where it was made: the id of its signing key
  base::json::object configuration;  // name, plan, labels, settings, domains, discovery
  std::string release;               // for people
  std::string release_hash;          // empty: nothing was deployed
  base::WallTime created;
  cloud::DataExport data;
};

struct ArchiveFile {
  std::uint64_t bytes = 0;
  std::string sha256;
};

// Each is named by a ULID. Every verb may be called again after a lost answer.
class Archives {
 public:
  virtual ~Archives() = default;
  // Makes the archive of a head, the release's bundle and the data in the transfer of the same
  // name, which is used up. Errors: Exhausted (no room), NotFound (transfer or bundle).
  virtual base::Task<base::Result<ArchiveFile>> pack(std::string id, ArchiveHead head) = 0;
  // Reads the head of an archive that was checked when it was taken in. Errors: NotFound, DataLoss.
  virtual base::Task<base::Result<ArchiveHead>> head(std::string id) = 0;
  // Puts the archive's data into the transfer of that name, and its release among the releases,
  // where it is not there yet. Errors: NotFound, DataLoss, Exhausted.
  virtual base::Task<base::Result<ArchiveHead>> unpack(std::string id, std::string transfer,
                                                       std::string actor) = 0;
  // Removes the archive and the transfer of that name. Unknown: success.
  virtual base::Task<base::Result<void>> remove(std::string id) = 0;
  // Names of all archives and transfers that lie there, for finding what nobody needs any more.
  virtual base::Task<base::Result<std::vector<std::string>>> list() = 0;
};

}  // namespace granary::lifecycle

// The frontends on disk, as the gateway has them in memory: indexes of the releases in use, and a
// bounded cache of small blobs. What is under frontends/HASH never changes, so nothing here goes
// stale. Reads on a worker. Owned by the Gateway; one thread.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/os/fd.h"
#include "base/worker.h"
#include "gateway/io.h"
#include "wire/frontend_index.h"
#include "wire/paths.h"

namespace granary::gateway {

struct Blob {
  std::uint64_t size = 0;
  std::string bytes;  // all of it, for one that is small
  base::os::Fd file;  // of a larger one, to be read piece by piece
};

class FrontendStore final {
 public:
  // Shared by the cache and the requests that are being answered from it.
  using SharedIndex = std::shared_ptr<const wire::FrontendIndex>;
  using SharedBlob = std::shared_ptr<const Blob>;

  // Both outlive the store.
  FrontendStore(const wire::Paths& paths, base::Worker& worker) : paths_(paths), worker_(worker) {}

  // Null, without a wait, for what is not in memory.
  SharedIndex cached_index(const std::string& release);
  SharedBlob cached_blob(std::string_view name);
  // Reads it. Null, and a line in the log, when it is missing or damaged.
  Coro<SharedIndex> load_index(std::string release);
  Coro<SharedBlob> load_blob(std::string release, std::string name);
  // A piece of a large blob, empty when it cannot be read. `blob` outlives the wait.
  Coro<std::string> read_piece(const Blob& blob, std::uint64_t offset);

 private:
  struct CachedIndex {
    std::string release;
    SharedIndex index;  // shared with requests under way
  };
  struct CachedBlob {
    std::string name;
    SharedBlob blob;  // shared with requests under way
  };
  void remember(std::string name, SharedBlob blob);

  const wire::Paths& paths_;
  base::Worker& worker_;
  std::list<CachedIndex> indexes_;  // used last at the front; few
  std::list<CachedBlob> blobs_;     // used last at the front
  std::unordered_map<std::string_view, std::list<CachedBlob>::iterator> by_name_;
  std::size_t blob_bytes_ = 0;
};

}  // namespace granary::gateway

#include "gateway/frontend_store.h"

#include <algorithm>

#include "base/log.h"
#include "base/os/file.h"
#include "base/os/folder.h"
#include "gateway/limits.h"

namespace granary::gateway {
namespace {

using base::Result;

Result<wire::FrontendIndex> read_index(const std::string& folder) {
  TRY_ASSIGN(const std::string text,
             base::os::read_file(folder + "/index.json", wire::kMaxFrontendIndexBytes));
  return wire::decode_frontend_index(text);
}

Result<Blob> read_blob(const std::string& folder, const std::string& name) {
  // A name is a hash; whatever else it were, it must not leave the folder.
  if (name.empty() || name.find('/') != std::string::npos || name.front() == '.')
    return base::fail(base::Code::DataLoss, "the frontend's index names a bad blob");
  TRY_ASSIGN(const auto blobs, base::os::Folder::open(folder + "/blobs"));
  TRY_ASSIGN(auto file, blobs.open_file(name));
  Blob blob{.size = file.status.size};
  if (blob.size > kCachedBlob) {
    blob.file = std::move(file.fd);
    return blob;
  }
  TRY_ASSIGN(blob.bytes, base::os::read_at(file.fd.get(), 0, blob.size));
  if (blob.bytes.size() != blob.size)
    return base::fail(base::Code::DataLoss, "blob {} is cut", name);
  return blob;
}

}  // namespace

FrontendStore::SharedIndex FrontendStore::cached_index(const std::string& release) {
  const auto found = std::ranges::find(indexes_, release, &CachedIndex::release);
  if (found == indexes_.end()) return nullptr;
  indexes_.splice(indexes_.begin(), indexes_, found);
  return found->index;
}

FrontendStore::SharedBlob FrontendStore::cached_blob(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  blobs_.splice(blobs_.begin(), blobs_, found->second);
  return found->second->blob;
}

Coro<FrontendStore::SharedIndex> FrontendStore::load_index(std::string release) {
  auto read = co_await await(
      base::run_on(worker_, [folder = paths_.frontend(release)] { return read_index(folder); }));
  if (!read) {
    base::log::error("frontend {}: {}", release, describe(read.error()));
    co_return nullptr;
  }
  if (auto meanwhile = cached_index(release)) co_return meanwhile;
  auto index = std::make_shared<const wire::FrontendIndex>(*std::move(read));
  indexes_.push_front({std::move(release), index});
  if (indexes_.size() > kFrontendIndexes) indexes_.pop_back();
  co_return index;
}

Coro<FrontendStore::SharedBlob> FrontendStore::load_blob(std::string release, std::string name) {
  auto read = co_await await(base::run_on(
      worker_, [folder = paths_.frontend(release), name] { return read_blob(folder, name); }));
  if (!read) {
    base::log::error("frontend {}: {}", release, describe(read.error()));
    co_return nullptr;
  }
  auto blob = std::make_shared<const Blob>(*std::move(read));
  remember(std::move(name), blob);
  co_return blob;
}

void FrontendStore::remember(std::string name, SharedBlob blob) {
  if (blob->size > kCachedBlob || by_name_.contains(name)) return;
  blob_bytes_ += blob->size;
  blobs_.push_front({std::move(name), std::move(blob)});
  by_name_.emplace(blobs_.front().name, blobs_.begin());
  while (blob_bytes_ > kBlobCacheBytes) {
    blob_bytes_ -= blobs_.back().blob->size;
    by_name_.erase(blobs_.back().name);
    blobs_.pop_back();
  }
}

Coro<std::string> FrontendStore::read_piece(const Blob& blob, std::uint64_t offset) {
  auto piece = co_await await(base::run_on(worker_, [fd = blob.file.get(), offset] {
    return base::os::read_at(fd, offset, kBlobPiece);
  }));
  if (!piece) base::log::error("frontend: {}", describe(piece.error()));
  co_return piece ? *std::move(piece) : std::string();
}

}  // namespace granary::gateway

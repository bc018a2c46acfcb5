#include "release/frontend.h"

#include <fcntl.h>

#include "base/hash.h"
#include "base/os/file.h"
#include "base/os/folder.h"
#include "base/text.h"
#include "release/encoding.h"
#include "release/limits.h"
#include "release/media_type.h"
#include "wire/bundle_ignore.h"
#include "wire/bundle_tree.h"
#include "wire/frontend_index.h"

namespace granary::release {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;
using base::os::Folder;

constexpr mode_t kFolderMode = 0755;  // read by the gateway, which is another user
constexpr mode_t kFileMode = 0644;
constexpr std::size_t kEtagDigits = 32;  // 128 bits of the hash tell contents apart

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The folder at `path`, without following a link on the way.
Result<Folder> open_below(const std::string& folder, const std::string& path) {
  TRY_ASSIGN(Folder at, Folder::open(folder));
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    TRY_ASSIGN(at, at.open_folder(path.substr(begin, end - begin)));
    begin = end + 1;
  }
  return at;
}

Result<std::string> read_whole(const wire::BundleEntry& entry, int content) {
  std::string bytes;
  while (bytes.size() < entry.size) {
    TRY_ASSIGN(const std::string piece,
               base::os::read_at(content, bytes.size(), entry.size - bytes.size()));
    if (piece.empty()) break;
    bytes += piece;
  }
  if (bytes.size() == entry.size) return bytes;
  return base::fail(Code::Conflict, "{} changed while it was read", base::quote(entry.path));
}

// Writes a new frontend folder.
class FrontendWriter final {
 public:
  static Result<FrontendWriter> create(const std::string& target) {
    const std::size_t slash = target.rfind('/');
    TRY_ASSIGN(const Folder above, Folder::open(target.substr(0, slash + 1)));
    TRY_ASSIGN(Folder root, above.make_folder(target.substr(slash + 1), kFolderMode));
    TRY_ASSIGN(Folder blobs, root.make_folder("blobs", kFolderMode));
    return FrontendWriter(std::move(root), std::move(blobs));
  }

  Result<void> add(const wire::BundleEntry& entry, int content) {
    switch (entry.kind) {
      case EntryKind::Folder:
        return {};
      case EntryKind::File:
        return add_file(entry, content);
      case EntryKind::Link:
      case EntryKind::Fifo:
      case EntryKind::Socket:
      case EntryKind::Device:
        break;
    }
    return base::fail_with_advice(
        Code::InvalidArgument, fmt::format("{} in the frontend is a link", base::quote(entry.path)),
        "Put the file itself there: a frontend is delivered file by file");
  }

  Result<FrontendInfo> finish(const std::string& fallback) {
    if (!fallback.empty()) {
      index_.fallback = "/" + fallback;
      if (!index_.assets.contains(index_.fallback)) {
        return base::fail_with_advice(
            Code::InvalidArgument,
            fmt::format("frontend.fallback {} is not delivered", base::quote(fallback)),
            "Name a file of the frontend whose path has no name that begins with a dot");
      }
    }
    TRY_ASSIGN(const base::os::Fd file, root_.make_file("index.json", kFileMode));
    TRY(base::os::write_all(file.get(), wire::encode(index_)));
    info_.assets = index_.assets.size();
    return info_;
  }

 private:
  FrontendWriter(Folder root, Folder blobs) : root_(std::move(root)), blobs_(std::move(blobs)) {}

  Result<void> add_file(const wire::BundleEntry& entry, int content) {
    TRY_ASSIGN(const std::string bytes, read_whole(entry, content));
    const MediaType type = media_type(entry.path);
    wire::FrontendAsset asset;
    TRY_ASSIGN(asset.blob, add_blob(bytes));
    asset.type = type.content_type;
    asset.bytes = bytes.size();
    asset.etag = asset.blob.substr(0, kEtagDigits);
    if (holds_content_hash(file_name(entry.path))) asset.caching = wire::Caching::Immutable;
    if (type.compressible == Compressible::Yes && bytes.size() >= kMinEncodedBytes &&
        bytes.size() <= kMaxEncodedBytes) {
      TRY_ASSIGN(asset.brotli, add_if_smaller(brotli(bytes), bytes.size()));
      TRY_ASSIGN(asset.gzip, add_if_smaller(gzip(bytes), bytes.size()));
    }
    info_.bytes += bytes.size();
    index_.assets.emplace("/" + entry.path, std::move(asset));
    return {};
  }

  // The blob's name; empty when the encoding saves less than a sixteenth.
  Result<std::string> add_if_smaller(const std::string& encoded, std::size_t plain) {
    if (encoded.size() > plain - plain / 16) return std::string();
    return add_blob(encoded);
  }

  Result<std::string> add_blob(std::string_view bytes) {
    std::string name = base::sha256_hex(bytes);
    auto file = blobs_.make_file(name, kFileMode);
    if (!file && file.error().code == Code::AlreadyExists) return name;  // equal files share one
    if (!file) return std::unexpected(file.error());
    TRY(base::os::write_all(file->get(), bytes));
    info_.blob_bytes += bytes.size();
    return name;
  }

  Folder root_;
  Folder blobs_;
  wire::FrontendIndex index_;
  FrontendInfo info_;
};

Result<FrontendInfo> build_into(const Folder& source, const std::string& fallback,
                                const std::string& target, const FrontendLimits& limits) {
  wire::IgnoreRules ignore = wire::IgnoreRules::nothing();
  TRY(ignore.add(".*\n!.well-known\n", "frontend"));
  wire::BundleLimits bounds;
  bounds.entries = limits.assets;
  bounds.file_bytes = limits.asset_bytes;
  TRY_ASSIGN(FrontendWriter writer, FrontendWriter::create(target));
  const auto leaves_out = [&](const Folder& /*parent*/, const wire::BundleEntry& entry) {
    return Result<bool>(ignore.ignores(entry.path, entry.kind));
  };
  TRY(wire::walk_tree(source, leaves_out, bounds, [&](const wire::BundleEntry& entry, int content) {
    return writer.add(entry, content);
  }));
  return writer.finish(fallback);
}

}  // namespace

FrontendLimits default_frontend_limits() { return {kMaxAssets, kMaxAssetBytes}; }

Result<FrontendInfo> build_frontend(const std::string& release_folder, const Frontend& frontend,
                                    const std::string& target, const FrontendLimits& limits) {
  auto source = open_below(release_folder, frontend.root);
  if (!source)
    return base::annotate(source.error(), "opening the frontend " + base::quote(frontend.root));
  if (base::os::exists(target))
    return base::fail(Code::AlreadyExists, "there is a frontend at {}", target);
  auto built = build_into(*source, frontend.fallback, target, limits);
  if (built) return built;
  (void)base::os::remove_tree(target);
  return base::annotate(built.error(), "building the frontend");
}

}  // namespace granary::release

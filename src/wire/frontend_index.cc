#include "wire/frontend_index.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

// Blob names become file names.
bool is_blob(std::string_view name) {
  return name.size() == 64 && std::ranges::all_of(name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Both go into heads as they are, one of them between quotes.
bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f && c != '"'; });
}

base::json::object asset_to_json(const FrontendAsset& asset) {
  base::json::object document;
  document["blob"] = asset.blob;
  document["type"] = asset.type;
  document["bytes"] = asset.bytes;
  document["etag"] = asset.etag;
  if (asset.caching == Caching::Immutable) document["immutable"] = true;
  base::json::object encodings;
  if (!asset.brotli.empty()) encodings["br"] = asset.brotli;
  if (!asset.gzip.empty()) encodings["gzip"] = asset.gzip;
  if (!encodings.empty()) document["encodings"] = std::move(encodings);
  return document;
}

Result<std::string> get_blob(const base::json::object& from, std::string_view name) {
  TRY_ASSIGN(std::string blob, base::json::get_string(from, name));
  if (!is_blob(blob)) return base::fail(Code::InvalidArgument, "member '{}' is no blob", name);
  return blob;
}

Result<FrontendAsset> asset_from(const base::json::object& from) {
  FrontendAsset asset;
  TRY_ASSIGN(asset.blob, get_blob(from, "blob"));
  TRY_ASSIGN(asset.type, base::json::get_string(from, "type"));
  TRY_ASSIGN(const std::int64_t bytes, base::json::get_int(from, "bytes"));
  if (bytes < 0) return base::fail(Code::InvalidArgument, "member 'bytes' is negative");
  asset.bytes = static_cast<std::uint64_t>(bytes);
  TRY_ASSIGN(asset.etag, base::json::get_string(from, "etag"));
  if (!is_field_value(asset.type) || !is_field_value(asset.etag))
    return base::fail(Code::InvalidArgument, "member 'type' or 'etag' cannot stand in a head");
  if (const auto* immutable = from.if_contains("immutable");
      immutable != nullptr && *immutable == true) {
    asset.caching = Caching::Immutable;
  }
  const base::json::object* encodings = base::json::find_object(from, "encodings");
  if (encodings == nullptr) return asset;
  if (encodings->contains("br")) {
    TRY_ASSIGN(asset.brotli, get_blob(*encodings, "br"));
  }
  if (encodings->contains("gzip")) {
    TRY_ASSIGN(asset.gzip, get_blob(*encodings, "gzip"));
  }
  return asset;
}

}  // namespace

std::string encode(const FrontendIndex& index) {
  base::json::object assets;
  for (const auto& [path, asset] : index.assets) assets[path] = asset_to_json(asset);
  base::json::object document;
  if (!index.fallback.empty()) document["fallback"] = index.fallback;
  document["assets"] = std::move(assets);
  return base::json::print(document);
}

Result<FrontendIndex> decode_frontend_index(std::string_view text) {
  TRY_ASSIGN(const auto document, base::json::parse_object(text, kMaxFrontendIndexBytes));
  FrontendIndex index;
  TRY_ASSIGN(index.fallback, base::json::get_string_or(document, "fallback", ""));
  const base::json::object* assets = base::json::find_object(document, "assets");
  if (assets == nullptr) return base::fail(Code::InvalidArgument, "member 'assets' is missing");
  for (const auto& member : *assets) {
    const std::string path(member.key());
    const base::json::object* from = member.value().if_object();
    if (from == nullptr || !path.starts_with('/'))
      return base::fail(Code::InvalidArgument, "{} is no asset", base::quote(path));
    auto asset = asset_from(*from);
    if (!asset) return base::annotate(asset.error(), "reading asset " + base::quote(path));
    index.assets.emplace(path, std::move(*asset));
  }
  if (!index.fallback.empty() && !index.assets.contains(index.fallback))
    return base::fail(Code::InvalidArgument, "member 'fallback' names no asset");
  return index;
}

}  // namespace granary::wire

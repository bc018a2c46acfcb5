// What frontends/HASH/ holds: index.json, written by control (release/frontend.h) and read by the
// gateway, and blobs/, files named by the SHA-256 of their bytes. Value types with a JSON form:
//
//   {"fallback": "/index.html",
//    "assets": {"/app.1f2e3d4c.js": {"blob": HASH, "type": "text/javascript; charset=utf-8",
//                                    "bytes": N, "etag": "32 hex digits", "immutable": true,
//                                    "encodings": {"br": HASH, "gzip": HASH}}}}
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace granary::wire {

enum class Caching { Revalidate, Immutable };

struct FrontendAsset {
  std::string blob;  // the bytes as they are
  std::string type;  // the whole Content-Type
  std::uint64_t bytes = 0;
  std::string etag;  // without quotes; an encoded answer needs one of its own (RFC 9110, 8.8.3.3)
  Caching caching = Caching::Revalidate;
  std::string brotli;  // blobs; empty where the encoding would not be smaller
  std::string gzip;
  bool operator==(const FrontendAsset&) const = default;
};

struct FrontendIndex {
  std::string fallback;  // a key of `assets`; empty: none
  // By decoded path: what is compared is the request's path after percent-decoding.
  std::map<std::string, FrontendAsset, std::less<>> assets;
  bool operator==(const FrontendIndex&) const = default;
};

// 20,000 assets (release/limits.h) of at most 1,200 bytes here.
inline constexpr std::size_t kMaxFrontendIndexBytes = 24U << 20;

std::string encode(const FrontendIndex& index);
// Errors: InvalidArgument naming the member; Exhausted.
base::Result<FrontendIndex> decode_frontend_index(std::string_view text);

}  // namespace granary::wire

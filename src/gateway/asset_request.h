// What a request for a file of the frontend gets: which file, in which encoding, or which answer
// without one. Pure decisions over the frontend's index; reading blobs is frontend.h's.
#pragma once

#include <string>
#include <string_view>

#include "gateway/heads.h"
#include "wire/frontend_index.h"

namespace granary::gateway {

struct AssetAnswer {
  int status = 404;       // 200, 304, 404, 405
  std::string_view blob;  // for 200
  std::string fields;     // each line with its end
};

// The views in the answer point into `index`.
AssetAnswer answer_asset(const wire::FrontendIndex& index, const RequestHead& request);

enum class Coding { Identity, Brotli, Gzip };
// The best of what the client takes (RFC 9110, 12.5.3) and there is.
struct Available {
  bool brotli = false;
  bool gzip = false;
};
Coding choose_coding(std::string_view accept_encoding, Available available);

// Whether one of the tags of an If-None-Match is this one; weak comparison (RFC 9110, 13.1.2).
bool has_tag(std::string_view if_none_match, std::string_view tag);

// Decodes %XX. False for what no key can mean: a bad escape, an encoded slash, backslash or NUL.
bool decode_path(std::string_view path, std::string& into);

}  // namespace granary::gateway

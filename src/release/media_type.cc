#include "release/media_type.h"

#include <algorithm>
#include <array>
#include <string>

namespace granary::release {
namespace {

struct Known {
  std::string_view ending;
  MediaType type;
};

// IANA's names. Sorted by nothing: some dozen comparisons for each file of a release.
constexpr std::array kKnown = {
    Known{"html", {"text/html; charset=utf-8", Compressible::Yes}},
    Known{"htm", {"text/html; charset=utf-8", Compressible::Yes}},
    Known{"js", {"text/javascript; charset=utf-8", Compressible::Yes}},
    Known{"mjs", {"text/javascript; charset=utf-8", Compressible::Yes}},
    Known{"css", {"text/css; charset=utf-8", Compressible::Yes}},
    Known{"json", {"application/json", Compressible::Yes}},
    Known{"map", {"application/json", Compressible::Yes}},
    Known{"webmanifest", {"application/manifest+json", Compressible::Yes}},
    Known{"svg", {"image/svg+xml", Compressible::Yes}},
    Known{"xml", {"application/xml", Compressible::Yes}},
    Known{"txt", {"text/plain; charset=utf-8", Compressible::Yes}},
    Known{"md", {"text/markdown; charset=utf-8", Compressible::Yes}},
    Known{"csv", {"text/csv; charset=utf-8", Compressible::Yes}},
    Known{"vtt", {"text/vtt; charset=utf-8", Compressible::Yes}},
    Known{"wasm", {"application/wasm", Compressible::Yes}},
    Known{"ico", {"image/x-icon", Compressible::Yes}},
    Known{"bmp", {"image/bmp", Compressible::Yes}},
    Known{"ttf", {"font/ttf", Compressible::Yes}},
    Known{"otf", {"font/otf", Compressible::Yes}},
    Known{"woff", {"font/woff", Compressible::No}},
    Known{"woff2", {"font/woff2", Compressible::No}},
    Known{"png", {"image/png", Compressible::No}},
    Known{"jpg", {"image/jpeg", Compressible::No}},
    Known{"jpeg", {"image/jpeg", Compressible::No}},
    Known{"gif", {"image/gif", Compressible::No}},
    Known{"webp", {"image/webp", Compressible::No}},
    Known{"avif", {"image/avif", Compressible::No}},
    Known{"mp3", {"audio/mpeg", Compressible::No}},
    Known{"ogg", {"audio/ogg", Compressible::No}},
    Known{"wav", {"audio/wav", Compressible::No}},
    Known{"mp4", {"video/mp4", Compressible::No}},
    Known{"webm", {"video/webm", Compressible::No}},
    Known{"pdf", {"application/pdf", Compressible::No}},
    Known{"zip", {"application/zip", Compressible::No}},
    Known{"gz", {"application/gzip", Compressible::No}},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_base64url(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c) || c == '_' || c == '-';
}

constexpr std::size_t kHashLength = 8;

// 8 or more hex digits, at least one of them a digit, and no date.
bool is_hex_hash(std::string_view text) {
  if (text.size() < kHashLength || !std::ranges::all_of(text, is_hex)) return false;
  if (std::ranges::none_of(text, is_digit)) return false;
  const bool date =
      std::ranges::all_of(text, is_digit) && (text.starts_with("19") || text.starts_with("20"));
  return !date;
}

// Exactly 8 letters of base64url that are no word and no number: a letter with a digit, or a
// capital after the first letter with a small one.
bool is_base64_hash(std::string_view text) {
  if (text.size() != kHashLength || !std::ranges::all_of(text, is_base64url)) return false;
  const bool letters = std::ranges::any_of(text, [](char c) { return is_lower(c) || is_upper(c); });
  const bool digits = std::ranges::any_of(text, is_digit);
  const bool mixed =
      std::ranges::any_of(text.substr(1), is_upper) && std::ranges::any_of(text, is_lower);
  return letters && (digits || mixed);
}

}  // namespace

MediaType media_type(std::string_view file_name) {
  const std::size_t point = file_name.rfind('.');
  if (point != std::string_view::npos) {
    std::string ending(file_name.substr(point + 1));
    for (char& c : ending) {
      if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
    }
    const auto found = std::ranges::find(kKnown, ending, &Known::ending);
    if (found != kKnown.end()) return found->type;
  }
  return {"application/octet-stream", Compressible::No};
}

bool holds_content_hash(std::string_view file_name) {
  const std::size_t point = file_name.rfind('.');
  if (point == std::string_view::npos) return false;
  const std::string_view stem = file_name.substr(0, point);
  // index-BkH3d9aQ: the hash may hold hyphens of its own, so its place is counted from the end.
  if (stem.size() > kHashLength + 1 && stem[stem.size() - kHashLength - 1] == '-' &&
      is_base64_hash(stem.substr(stem.size() - kHashLength))) {
    return true;
  }
  // app.1f2e3d4c, app-1f2e3d4c, app.1f2e3d4c.chunk: any part but the first.
  for (std::size_t begin = stem.find_first_of(".-"); begin != std::string_view::npos;) {
    const std::size_t end = stem.find_first_of(".-", begin + 1);
    if (is_hex_hash(stem.substr(begin + 1, end == std::string_view::npos ? end : end - begin - 1)))
      return true;
    begin = end;
  }
  return false;
}

}  // namespace granary::release

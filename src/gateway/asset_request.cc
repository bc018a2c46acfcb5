#include "gateway/asset_request.h"

#include <algorithm>

namespace granary::gateway {
namespace {

// Calls take(item) for each item of a comma-separated list, without the spaces around it.
template <class Take>
void each_item(std::string_view list, Take take) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const std::size_t first = item.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    take(item.substr(first, item.find_last_not_of(" \t") - first + 1));
  }
}

// The weight of "gzip;q=0.5": 0 to 1000, 1000 where there is none, 0 where it makes no sense.
int weight(std::string_view parameters) {
  const std::size_t at = parameters.find("q=");
  if (parameters.find_first_not_of("; \t") == std::string_view::npos) return 1000;
  if (at == std::string_view::npos) return 0;
  std::string_view text = parameters.substr(at + 2);
  if (text.starts_with('1')) return 1000;
  if (!text.starts_with("0.")) return 0;
  int thousandths = 0;
  text.remove_prefix(2);
  for (int unit = 100; unit > 0 && !text.empty() && text[0] >= '0' && text[0] <= '9'; unit /= 10) {
    thousandths += unit * (text[0] - '0');
    text.remove_prefix(1);
  }
  return thousandths;
}

// A page that a person goes to, not a part of one: only that may fall back to the app's page.
bool is_navigation(std::string_view path, const RequestHead& request) {
  const std::string_view accept = find_field(request.text, "Accept");
  if (accept.find("text/html") != std::string_view::npos) return true;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.find('.') == std::string_view::npos;
}

const wire::FrontendAsset* find_asset(const wire::FrontendIndex& index, std::string_view path) {
  const auto found = index.assets.find(path);
  return found == index.assets.end() ? nullptr : &found->second;
}

const wire::FrontendAsset* choose_asset(const wire::FrontendIndex& index, std::string_view path,
                                        const RequestHead& request) {
  if (const auto* asset = find_asset(index, path)) return asset;
  if (path.ends_with('/'))
    if (const auto* asset = find_asset(index, std::string(path) + "index.html")) return asset;
  if (index.fallback.empty() || !is_navigation(path, request)) return nullptr;
  return find_asset(index, index.fallback);
}

AssetAnswer describe(const wire::FrontendAsset& asset, const RequestHead& request) {
  const Coding coding = choose_coding(find_field(request.text, "Accept-Encoding"),
                                      {!asset.brotli.empty(), !asset.gzip.empty()});
  AssetAnswer answer{.status = 200, .blob = asset.blob};
  std::string tag = "\"" + asset.etag;
  std::string_view encoding;
  switch (coding) {
    case Coding::Identity:
      break;
    case Coding::Brotli:
      answer.blob = asset.brotli;
      tag += "-br";
      encoding = "Content-Encoding: br\r\n";
      break;
    case Coding::Gzip:
      answer.blob = asset.gzip;
      tag += "-gzip";
      encoding = "Content-Encoding: gzip\r\n";
      break;
  }
  tag += "\"";
  const bool immutable = asset.caching == wire::Caching::Immutable;
  answer.fields.append("ETag: ").append(tag).append("\r\nCache-Control: ");
  answer.fields.append(immutable ? "public, max-age=31536000, immutable" : "no-cache");
  answer.fields.append("\r\n");
  if (!asset.brotli.empty() || !asset.gzip.empty()) answer.fields += "Vary: Accept-Encoding\r\n";
  if (has_tag(find_field(request.text, "If-None-Match"), tag)) {
    answer.status = 304;
    return answer;
  }
  answer.fields.append("Content-Type: ").append(asset.type).append("\r\n").append(encoding);
  answer.fields += "X-Content-Type-Options: nosniff\r\n";
  return answer;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool has_tag(std::string_view if_none_match, std::string_view tag) {
  bool found = false;
  each_item(if_none_match, [&](std::string_view item) {
    if (item.starts_with("W/")) item.remove_prefix(2);
    found = found || item == tag || item == "*";
  });
  return found;
}

Coding choose_coding(std::string_view accept_encoding, Available available) {
  int brotli = -1;
  int gzip = -1;
  int other = 0;
  each_item(accept_encoding, [&](std::string_view item) {
    const std::size_t end = std::min(item.find_first_of("; \t"), item.size());
    const std::string_view name = item.substr(0, end);
    const int value = weight(item.substr(end));
    if (equal_ignoring_case(name, "br")) brotli = value;
    if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) gzip = value;
    if (name == "*") other = value;
  });
  if (brotli < 0) brotli = other;
  if (gzip < 0) gzip = other;
  if (!available.brotli) brotli = 0;
  if (!available.gzip) gzip = 0;
  if (brotli == 0 && gzip == 0) return Coding::Identity;
  return brotli >= gzip ? Coding::Brotli : Coding::Gzip;
}

bool decode_path(std::string_view path, std::string& into) {
  into.clear();
  for (std::size_t at = 0; at < path.size(); ++at) {
    char c = path[at];
    if (c == '%') {
      if (at + 2 >= path.size()) return false;
      const int high = hex_digit(path[at + 1]);
      const int low = hex_digit(path[at + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      if (c == '/' || c == '\0') return false;
      at += 2;
    }
    if (c == '\\') return false;
    into += c;
  }
  return true;
}

AssetAnswer answer_asset(const wire::FrontendIndex& index, const RequestHead& request) {
  if (request.method == Method::Other) return {.status = 405, .fields = "Allow: GET, HEAD\r\n"};
  std::string path;
  if (!decode_path(request.path(), path)) return {};
  const wire::FrontendAsset* asset = choose_asset(index, path, request);
  return asset == nullptr ? AssetAnswer{} : describe(*asset, request);
}

}  // namespace granary::gateway

#include "gateway/heads.h"

#include <algorithm>
#include <array>

namespace granary::gateway {
namespace {

constexpr std::size_t kNominated = 16;  // names in Connection fields; browsers send none

using Names = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view name, Names names) {
  return std::ranges::any_of(
      names, [&](std::string_view other) { return equal_ignoring_case(name, other); });
}

bool is_name_char(char c) {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool begins_ignoring_case(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && equal_ignoring_case(text.substr(0, with.size()), with);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Where the line of a field with this name begins, after the first line; npos: nowhere.
std::size_t find_line(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find("\r\n"); at != std::string_view::npos;
       at = text.find("\r\n", at)) {
    at += 2;
    const std::string_view line = text.substr(at);
    if (line.size() > name.size() && line[name.size()] == ':' && begins_ignoring_case(line, name))
      return at;
  }
  return std::string_view::npos;
}

}  // namespace

void RequestHead::clear() {
  text.clear();
  method_size = target_size = 0;
  host.name.clear();
  host.port.clear();
  authority.clear();
  method = Method::Other;
  idempotent = expects_continue = false;
  version_11 = keep_alive = true;
  upgrade.clear();
  framing = Framing::None;
  length = 0;
}

void ResponseHead::clear() {
  text.clear();
  status = 0;
  keep_alive = has_length = false;
  upgrade.clear();
  framing = Framing::None;
  length = 0;
}

std::string_view find_field(std::string_view head_text, std::string_view name) {
  const std::size_t at = find_line(head_text, name);
  if (at == std::string_view::npos) return {};
  std::string_view value = head_text.substr(at + name.size() + 1);
  return trimmed(value.substr(0, value.find("\r\n")));
}

void remove_field(std::string& head_text, std::string_view name) {
  for (std::size_t at = find_line(head_text, name); at != std::string_view::npos;
       at = find_line(head_text, name)) {
    head_text.erase(at, head_text.find("\r\n", at) + 2 - at);
  }
}

bool may_go_upstream(std::string_view name) {
  if (!std::ranges::all_of(name, is_name_char)) return false;
  // By first letter, for speed: this runs for every field of every request.
  switch (to_lower(name.front())) {
    case 'c':
      return !is_one_of(name, {"connection", "content-length", "client-ip"});
    case 'e':
      return !is_one_of(name, {"expect"});
    case 'f':
      return !is_one_of(name, {"forwarded"});
    case 'h':
      return !is_one_of(name, {"host", "http2-settings"});
    case 'k':
      return !is_one_of(name, {"keep-alive"});
    case 'p':
      return !is_one_of(name,
                        {"proxy", "proxy-connection", "proxy-authorization", "proxy-authenticate"});
    case 't':
      return !is_one_of(name, {"te", "trailer", "transfer-encoding", "true-client-ip"});
    case 'u':
      return !is_one_of(name, {"upgrade"});
    case 'x':
      return !begins_ignoring_case(name, "x-forwarded") &&
             !begins_ignoring_case(name, "x-granary-") &&
             !is_one_of(name, {"x-real-ip", "x-request-id", "x-client-ip", "x-cluster-client-ip",
                               "x-original-forwarded-for"});
    default:
      return true;
  }
}

bool may_go_downstream(std::string_view name) {
  switch (to_lower(name.front())) {
    case 'c':
      return !is_one_of(name, {"connection", "content-length"});
    case 'k':
      return !is_one_of(name, {"keep-alive"});
    case 'p':
      return !is_one_of(name, {"proxy-connection"});
    case 't':
      return !is_one_of(name, {"te", "trailer", "transfer-encoding"});
    case 'u':
      return !is_one_of(name, {"upgrade"});
    case 'x':
      return !is_one_of(name, {"x-request-id"});
    default:
      return true;
  }
}

bool Nominated::add(std::string_view connection, bool (*may_go)(std::string_view name)) {
  while (!connection.empty()) {
    const std::size_t comma = std::min(connection.find(','), connection.size());
    const std::string_view name = trimmed(connection.substr(0, comma));
    connection.remove_prefix(std::min(comma + 1, connection.size()));
    if (name.empty() || !may_go(name) || equal_ignoring_case(name, "close")) continue;
    if (names_.size() == kNominated) return false;
    names_.emplace_back(name);
  }
  return true;
}

void Nominated::remove_from(std::string& head_text) const {
  for (const std::string& name : names_) remove_field(head_text, name);
}

// RFC 6265, 5.2.3; any Domain among them, where it stands twice.
bool is_cookie_of_all(std::string_view set_cookie, std::string_view domain) {
  std::size_t at = set_cookie.find(';');
  while (at < set_cookie.size()) {
    const std::size_t end = std::min(set_cookie.find(';', at + 1), set_cookie.size());
    std::string_view name = trimmed(set_cookie.substr(at + 1, end - at - 1));
    at = end;
    const std::size_t equals = name.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view of = trimmed(name.substr(equals + 1));
    name = trimmed(name.substr(0, equals));
    if (!equal_ignoring_case(name, "domain")) continue;
    while (of.starts_with('.')) of.remove_prefix(1);
    while (of.ends_with('.')) of.remove_suffix(1);
    if (of.empty() || of.size() > domain.size()) continue;
    const std::size_t before = domain.size() - of.size();
    if (!equal_ignoring_case(domain.substr(before), of)) continue;
    if (before == 0 || domain[before - 1] == '.') return true;
  }
  return false;
}

}  // namespace granary::gateway

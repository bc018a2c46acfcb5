#include "gateway/host.h"

#include <algorithm>

#include "gateway/limits.h"

namespace granary::gateway {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_';
}

bool is_literal_char(char c) {
  return (c >= 'a' && c <= 'f') || is_digit(c) || c == ':' || c == '.';
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return false;
  unsigned port = 0;
  for (const char c : text) port = port * 10 + static_cast<unsigned>(c - '0');
  return port <= 65535;
}

// Labels are not empty; one dot at the end names the root and says nothing.
bool tidy_name(std::string& name) {
  if (name.ends_with('.')) name.pop_back();
  return !name.empty() && name.front() != '.' && name.back() != '.' &&
         name.find("..") == std::string::npos && std::ranges::all_of(name, is_name_char);
}

}  // namespace

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

bool parse_authority(std::string_view text, Authority& into) {
  if (text.empty() || text.size() > kHostBytes + 6) return false;
  const bool literal = text.front() == '[';
  const std::size_t close = literal ? text.find(']') : 0;
  if (close == std::string_view::npos) return false;
  const std::size_t colon = text.find(':', close);
  into.name.assign(text.substr(0, colon));
  std::ranges::transform(into.name, into.name.begin(), to_lower);
  into.port.assign(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  if (colon != std::string_view::npos && !is_port(into.port)) return false;
  if (!literal) return tidy_name(into.name);
  return into.name.size() > 3 && into.name.back() == ']' &&
         std::ranges::all_of(std::string_view(into.name).substr(1, into.name.size() - 2),
                             is_literal_char);
}

}  // namespace granary::gateway

#include "release/manifest_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "release/limits.h"

namespace granary::release {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 4> kSizes = {
    {{"Ki", 1ULL << 10}, {"Mi", 1ULL << 20}, {"Gi", 1ULL << 30}, {"Ti", 1ULL << 40}}};
// ms before s and m: the first unit that ends the text is the one that is meant.
constexpr std::array<Unit, 5> kTimes = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::uint64_t kYear = 365ULL * 86'400'000;

// What the platform itself sets, or what would change who listens.
constexpr std::array<std::string_view, 7> kReservedVariables = {
    "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "PORT", "DATA_DIR", "SECRETS_DIR", "APP_RELEASE"};

constexpr std::string_view kPlatformRoutes = "/.well-known/granary";

template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             const std::array<Unit, N>& units) {
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    const auto number = parse_whole(text.substr(0, text.size() - unit.name.size()));
    if (!number || *number > UINT64_MAX / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string print_with_unit(std::uint64_t value, const std::array<Unit, N>& units) {
  const Unit* best = nullptr;
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && value >= unit.factor) best = &unit;
  }
  if (best == nullptr) return fmt::format("{}", value);
  return fmt::format("{}{}", value / best->factor, best->name);
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of a path in a URL, what needs no escaping (RFC 3986: unreserved, sub-delims, : and @).
bool is_path_character(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c) ||
         std::string_view("/-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

bool has_dot_segment(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || stopped != end || error != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizes);
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  const auto millis = parse_with_unit(text, kTimes);
  if (!millis || *millis > kYear) return std::nullopt;
  return milliseconds(*millis);
}

std::optional<std::uint64_t> parse_thousandths(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto whole = parse_whole(text.substr(0, point));
  if (!whole || *whole > 1'000'000) return std::nullopt;
  if (point == std::string_view::npos) return *whole * 1000;
  std::string fraction(text.substr(point + 1));
  if (fraction.empty() || fraction.size() > 3) return std::nullopt;
  fraction.append(3 - fraction.size(), '0');
  const auto thousandths = parse_whole(fraction);
  if (!thousandths) return std::nullopt;
  return *whole * 1000 + *thousandths;
}

std::string print_size(std::uint64_t bytes) { return print_with_unit(bytes, kSizes); }
std::string print_duration(milliseconds duration) {
  if (duration.count() == 0) return "0s";
  return print_with_unit(static_cast<std::uint64_t>(duration.count()), kTimes);
}
std::string print_thousandths(std::uint64_t thousandths) {
  return fmt::format("{:g}", static_cast<double>(thousandths) / 1000);
}

std::string_view name_fault(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > kMaxNameBytes) return "it has more than 31 characters";
  if (!is_lower(text.front())) return "it must begin with a lower-case letter a-z";
  const auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
  if (!std::ranges::all_of(text, allowed)) return "only a-z, 0-9 and - are allowed";
  return {};
}

std::string_view variable_fault(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > kMaxVariableName) return "it is too long";
  const auto allowed = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; };
  if (is_digit(text.front()) || !std::ranges::all_of(text, allowed))
    return "only A-Z, a-z, 0-9 and _ are allowed, and no digit at its beginning";
  if (std::ranges::find(kReservedVariables, text) != kReservedVariables.end())
    return "the platform sets this one itself";
  return {};
}

std::string_view url_path_fault(std::string_view text) {
  if (!text.starts_with('/')) return "it must begin with /";
  if (text.size() > kMaxPathBytes) return "it has more than 256 characters";
  if (!std::ranges::all_of(text, is_path_character))
    return "it must hold nothing that a URL's path would have to escape, and no query";
  if (text.find("//") != std::string_view::npos) return "it must not hold //";
  if (has_dot_segment(text)) return "it must not hold . or .. as a name";
  return {};
}

std::string_view route_fault(std::string_view text) {
  if (const std::string_view fault = url_path_fault(text); !fault.empty()) return fault;
  if (text.find('*') != std::string_view::npos)
    return "there are no wildcards: a route covers all that lies below it";
  const bool platform = text == kPlatformRoutes ||
                        (text.starts_with(kPlatformRoutes) && text[kPlatformRoutes.size()] == '/');
  if (platform) return "/.well-known/granary/ belongs to the platform";
  return {};
}

std::string_view file_path_fault(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.starts_with('/')) return "it must be relative to the app's folder";
  if (text.size() > kMaxPathBytes) return "it has more than 256 bytes";
  if (!base::is_printable_utf8(text)) return "it must be printable UTF-8";
  if (text.ends_with('/')) return "it must not end with /";
  if (text.find("//") != std::string_view::npos) return "it must not hold //";
  if (has_dot_segment(text)) return "it must not hold . or .. as a name";
  return {};
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n") == std::string_view::npos;
}

bool has_blank(std::string_view text) {
  return text.find_first_of(" \t\n") != std::string_view::npos;
}

namespace {

std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  bool open = false;  // within a word
  char quote = 0;
  for (const char c : command) {
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      open = false;
      continue;
    }
    if (!std::exchange(open, true)) words.emplace_back();
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      words.back() += c;
    }
  }
  return words;
}

// As YAML takes it for this very text.
std::string as_item(const std::string& word) {
  const bool plain = !word.empty() && word.front() != '-' && word.front() != ':' &&
                     std::ranges::all_of(word, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || std::string_view("._/-+=@:").contains(c);
                     });
  const bool option = word.size() > 1 && word.front() == '-' && word[1] != ' ' &&
                      word.find_first_of(" ,:#[]{}'\"") == std::string::npos;
  if (plain || option) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string list_of_words(std::string_view command) {
  std::string list;
  for (const std::string& word : words_of(command))
    list += (list.empty() ? "" : ", ") + as_item(word);
  return fmt::format("[{}]", list);
}

}  // namespace granary::release

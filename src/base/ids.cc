#include "base/ids.h"

#include <algorithm>
#include <array>

namespace granary::base {
namespace {

constexpr std::size_t kLongestSlug = 31;
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Names that a host, a path or a command of the platform may need one day.
constexpr std::array<std::string_view, 22> kReserved = {
    "admin",   "all",     "api",    "app",       "auth",   "console", "control", "default",
    "gateway", "granary", "health", "localhost", "mail",   "metrics", "none",    "ns1",
    "null",    "root",    "static", "status",    "system", "www"};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What is wrong with the text, or nothing.
std::string_view slug_fault(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > kLongestSlug) return "it has more than 31 characters";
  if (!is_lower(text.front())) return "it must begin with a lower-case letter a-z";
  const auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
  if (!std::ranges::all_of(text, allowed)) return "only a-z, 0-9 and - are allowed";
  if (text.back() == '-') return "it must not end with -";
  if (text.find("--") != std::string_view::npos) return "it must not contain --";
  if (std::ranges::find(kReserved, text) != kReserved.end()) return "it is a reserved word";
  return {};
}

// Outside input goes into an error: short and printable.
std::string quoted(std::string_view text) {
  std::string safe;
  for (const char c : text.substr(0, 40)) {
    const bool printable = c >= ' ' && c < 0x7f;
    safe += printable ? c : '?';
  }
  return text.size() > 40 ? safe + "..." : safe;
}

}  // namespace

std::string to_string(const ServiceId& id) { return id.account.value + "/" + id.service; }

Result<std::string> parse_slug(std::string_view text, std::string_view what) {
  const std::string_view fault = slug_fault(text);
  if (fault.empty()) return std::string(text);
  return fail_with_advice(
      Code::InvalidArgument, fmt::format("'{}' is not a valid {}: {}", quoted(text), what, fault),
      "Use 1 to 31 of a-z, 0-9 and single hyphens, beginning with a letter, such as acme-2");
}

std::string make_ulid(WallTime time, Rng& rng) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  auto stamp = static_cast<std::uint64_t>(millis.count());
  std::string text(26, '0');
  for (std::size_t i = 10; i-- > 0; stamp >>= 5) text[i] = kCrockford[stamp & 31];
  for (std::size_t i = 10; i < 26; ++i) text[i] = kCrockford[rng.below(32)];
  return text;
}

void UlidSequence::raise(const std::string& seen) { last_ = std::max(last_, seen); }

std::string UlidSequence::next(WallTime time, Rng& rng) {
  std::string made = make_ulid(time, rng);
  if (made <= last_) {
    // The successor of the last one: its letters are a number in base 32.
    made = last_;
    for (std::size_t i = made.size(); i-- > 0;) {
      const std::size_t digit = kCrockford.find(made[i]);
      made[i] = kCrockford[(digit + 1) & 31];
      if (digit != 31) break;
    }
  }
  last_ = made;
  return made;
}

bool is_ulid(std::string_view text) {
  return text.size() == 26 && text.front() <= '7' && std::ranges::all_of(text, [](char c) {
           return kCrockford.find(c) != std::string_view::npos;
         });
}

}  // namespace granary::base

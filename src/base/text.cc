#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace granary::base {
namespace {

constexpr std::uint32_t kMalformed = 0xffffffff;
constexpr std::size_t kQuotedBytes = 60;
constexpr std::size_t kLongestWord = 64;  // edit_distance is quadratic

// How many bytes a sequence with this first byte has; 0 for a byte that cannot begin one.
std::size_t sequence_length(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

// Takes one code point off the front.
std::uint32_t take(std::string_view& rest) {
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<std::uint8_t>(rest.front());
  const std::size_t length = sequence_length(first);
  if (length == 0 || length > rest.size()) return kMalformed;
  std::uint32_t point = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<std::uint8_t>(rest[i]);
    if ((next & 0xc0) != 0x80) return kMalformed;
    point = (point << 6) | (next & 0x3f);
  }
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kSmallest[length] || surrogate || point > 0x10ffff) return kMalformed;
  rest.remove_prefix(length);
  return point;
}

bool is_printable(std::uint32_t point) {
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return false;
  if (point >= 0x2028 && point <= 0x202e) return false;
  return point < 0x2066 || point > 0x2069;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    if (take(bytes) == kMalformed) return false;
  }
  return true;
}

bool is_printable_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::uint32_t point = take(bytes);
    if (point == kMalformed || !is_printable(point)) return false;
  }
  return true;
}

std::string quote(std::string_view text) {
  std::string safe = "'";
  for (const char c : text.substr(0, kQuotedBytes)) safe += c >= ' ' && c < 0x7f ? c : '?';
  return safe + (text.size() > kQuotedBytes ? "...'" : "'");
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongestWord);
  b = b.substr(0, kLongestWord);
  std::vector<std::size_t> row(b.size() + 1);  // of the classic table, the current one
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

std::string as_utf8(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string text;
  while (!bytes.empty()) {
    std::size_t length = 1;
    while (length <= std::min<std::size_t>(4, bytes.size()) && !is_utf8(bytes.substr(0, length)))
      ++length;
    const bool whole = length <= std::min<std::size_t>(4, bytes.size());
    text += whole ? bytes.substr(0, length) : "\xef\xbf\xbd";
    bytes.remove_prefix(whole ? length : 1);
  }
  return text;
}

}  // namespace granary::base

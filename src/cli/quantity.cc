#include "cli/quantity.h"

#include <array>
#include <charconv>
#include <limits>

#include "base/text.h"

namespace granary::cli {

using base::Code;
using base::Result;

namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> kUnits = {
    {{"Ti", 1ULL << 40}, {"Gi", 1ULL << 30}, {"Mi", 1ULL << 20}, {"Ki", 1ULL << 10}}};

// All of the text as a whole number.
template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return !text.empty() && read.ec == std::errc() && read.ptr == end;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view digits = text;
  std::uint64_t unit = 1;
  for (const auto& [name, bytes] : kUnits) {
    if (!text.ends_with(name)) continue;
    digits.remove_suffix(name.size());
    unit = bytes;
  }
  std::uint64_t number = 0;
  if (read_whole(digits, number) && number <= std::numeric_limits<std::uint64_t>::max() / unit)
    return number * unit;
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("{} is not a valid size", base::quote(text)),
                                "Write 256Mi or 1Gi, or bytes alone");
}

Result<std::uint32_t> parse_cpu(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string fraction(point < text.size() ? text.substr(point + 1) : "0");
  std::uint32_t whole = 0;
  std::uint32_t thousandths = 0;
  const bool short_enough = !fraction.empty() && fraction.size() <= 3;
  fraction.append(3 - std::min<std::size_t>(fraction.size(), 3), '0');
  if (short_enough && read_whole(text.substr(0, point), whole) && whole <= 1'000'000 &&
      read_whole(fraction, thousandths))
    return whole * 1000 + thousandths;
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("{} is not a valid number of cores", base::quote(text)),
                                "Write 0.5 or 2, with at most three digits after the point");
}

std::string print_size(std::uint64_t bytes) {
  for (const auto& [name, unit] : kUnits) {
    if (bytes >= unit && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, name);
  }
  return std::to_string(bytes);
}

std::string print_cpu(std::uint32_t thousandths) {
  std::string text = fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace granary::cli

#include "base/clock.h"

#include <array>
#include <charconv>

namespace granary::base {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view suffix;
  milliseconds length;
};

// Longest first for printing; "ms" before "m" and "s" so that the suffix match is unambiguous.
constexpr std::array kUnits = {
    Unit{"d", milliseconds(86'400'000)}, Unit{"h", milliseconds(3'600'000)},
    Unit{"m", milliseconds(60'000)},     Unit{"s", milliseconds(1'000)},
    Unit{"ms", milliseconds(1)},
};
constexpr std::int64_t kLongest = 3650LL * 86'400'000;  // ten years: beyond it, a typing error

bool digits(std::string_view text, std::size_t at, std::size_t count, int& value) {
  if (text.size() < at + count) return false;
  const char* end = text.data() + at + count;
  const auto parsed = std::from_chars(text.data() + at, end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && text[at] != '-';
}

}  // namespace

std::string to_rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool fields = digits(text, 0, 4, year) && digits(text, 5, 2, month) &&
                      digits(text, 8, 2, day) && digits(text, 11, 2, hour) &&
                      digits(text, 14, 2, minute) && digits(text, 17, 2, second);
  const bool marks = fields && text[4] == '-' && text[7] == '-' && text[10] == 'T' &&
                     text[13] == ':' && text[16] == ':' && text.back() == 'Z';
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!marks || !date.ok() || hour > 23 || minute > 59 || second > 59)
    return fail(Code::InvalidArgument, "'{}' is not a time like 2026-11-24T07:13:00Z", text);
  std::int64_t micros = 0;
  if (text.size() > 20) {
    const std::string_view fraction = text.substr(20, text.size() - 21);
    int value = 0;
    if (text[19] != '.' || fraction.empty() || fraction.size() > 6 ||
        !digits(fraction, 0, fraction.size(), value))
      return fail(Code::InvalidArgument, "'{}' has a bad fraction of a second", text);
    micros = value;
    for (std::size_t i = fraction.size(); i < 6; ++i) micros *= 10;
  }
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::microseconds(micros);
}

Result<milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view suffix = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (parsed.ec == std::errc() && count >= 0) {
    for (const Unit& unit : kUnits) {
      if (unit.suffix == suffix && count <= kLongest / unit.length.count())
        return unit.length * count;
    }
  }
  return fail(Code::InvalidArgument, "'{}' is not a duration like 250ms, 60s, 5m, 4h or 30d", text);
}

std::string format_duration(milliseconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration >= unit.length && duration % unit.length == milliseconds(0))
      return fmt::format("{}{}", duration / unit.length, unit.suffix);
  }
  return fmt::format("{}ms", duration.count());
}

}  // namespace granary::base

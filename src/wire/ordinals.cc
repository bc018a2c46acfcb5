#include "wire/ordinals.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/os/file.h"

namespace granary::wire {

using base::Code;
using base::Result;
using base::json::array;

bool contains(const OrdinalRanges& ranges, std::uint32_t ordinal) {
  const auto behind = std::ranges::upper_bound(ranges, ordinal, {}, &OrdinalRange::first);
  return behind != ranges.begin() && ordinal <= std::prev(behind)->last;
}

OrdinalRanges missing(std::vector<std::uint32_t> existing, std::uint32_t last) {
  std::ranges::sort(existing);
  OrdinalRanges gone;
  std::uint32_t next = 1;
  for (const std::uint32_t ordinal : existing) {
    if (ordinal > next) gone.push_back({next, ordinal - 1});
    next = ordinal + 1;
  }
  if (next <= last) gone.push_back({next, last});
  return gone;
}

array to_json(const OrdinalRanges& ranges) {
  array list;
  list.reserve(ranges.size());
  for (const OrdinalRange& range : ranges) list.push_back(array{range.first, range.last});
  return list;
}

Result<OrdinalRanges> ranges_from(const base::json::object& from, std::string_view name) {
  const auto wrong =
      base::fail(Code::InvalidArgument, "member '{}' must be ascending ranges", name);
  const array* list = base::json::find_array(from, name);
  if (list == nullptr) return wrong;
  OrdinalRanges ranges;
  ranges.reserve(list->size());
  for (const auto& item : *list) {
    const array* ends = item.if_array();
    if (ends == nullptr || ends->size() != 2) return wrong;
    boost::system::error_code first_failed;
    boost::system::error_code last_failed;
    const OrdinalRange range{ends->at(0).to_number<std::uint32_t>(first_failed),
                             ends->at(1).to_number<std::uint32_t>(last_failed)};
    if (first_failed || last_failed || range.first > range.last) return wrong;
    // 64 bits: behind the greatest ordinal there is none.
    if (!ranges.empty() && range.first <= std::uint64_t{ranges.back().last} + 1) return wrong;
    ranges.push_back(range);
  }
  return ranges;
}

std::optional<std::uint32_t> ordinal_of_log(std::string_view name) {
  if (name.ends_with(".1")) name.remove_suffix(2);
  if (!name.ends_with(".log")) return std::nullopt;
  name.remove_suffix(4);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  std::uint32_t ordinal = 0;
  const std::string_view digits = name.substr(dot + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return ordinal;
}

Result<void> remove_logs(const std::string& folder, const OrdinalRanges& gone) {
  TRY_ASSIGN(const auto names, base::os::list_folder(folder));
  for (const std::string& name : names) {
    const auto ordinal = ordinal_of_log(name);
    if (ordinal && contains(gone, *ordinal))
      TRY(base::os::remove_file(fmt::format("{}/{}", folder, name)));
  }
  return {};
}

}  // namespace granary::wire

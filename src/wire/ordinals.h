// Sets of accounts by their ordinals, which are never used again: what control says is gone, and
// what the gateway and the egress role keep of each account until then. Value types and functions;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace granary::wire {

// Both ends included.
struct OrdinalRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool operator==(const OrdinalRange&) const = default;
};
using OrdinalRanges = std::vector<OrdinalRange>;  // ascending, none touches the next

bool contains(const OrdinalRanges& ranges, std::uint32_t ordinal);
// Those from 1 to `last` that are not among `existing`.
OrdinalRanges missing(std::vector<std::uint32_t> existing, std::uint32_t last);

// [[1,3],[7,7]]
base::json::array to_json(const OrdinalRanges& ranges);
// Of the member at `name`. Errors: InvalidArgument for whatever is not exactly that.
base::Result<OrdinalRanges> ranges_from(const base::json::object& from, std::string_view name);

// Of "acme.17.log" and "acme.17.log.1" (Paths::access_log, egress_log); nothing for other names.
std::optional<std::uint32_t> ordinal_of_log(std::string_view name);
// Removes the logs of these accounts from a folder; what has other names stays. Blocking. Errors:
// of the first that cannot be removed.
base::Result<void> remove_logs(const std::string& folder, const OrdinalRanges& gone);

}  // namespace granary::wire

// Identifiers as types of their own: slugs for what people name, ULIDs for the rest. Value types.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/rng.h"

namespace granary::base {

// A string that cannot be mistaken for another kind of string. The tag is only a name.
template <class Tag>
struct StrongString {
  std::string value;

  StrongString() = default;
  explicit StrongString(std::string text) : value(std::move(text)) {}
  bool empty() const { return value.empty(); }
  const std::string& str() const { return value; }
  auto operator<=>(const StrongString&) const = default;
};

using AccountId = StrongString<struct AccountTag>;  // slug; equals the tenant's or environment's
using TenantId = StrongString<struct TenantTag>;    // slug
using ReleaseId = StrongString<struct ReleaseTag>;  // name-<12 hex of the content hash>
using OperationId = StrongString<struct OperationTag>;  // ULID

// One service of one account.
struct ServiceId {
  AccountId account;
  std::string service;
  auto operator<=>(const ServiceId&) const = default;
};
std::string to_string(const ServiceId& id);  // "acme/api"

// [a-z][a-z0-9-]{0,30}, no hyphen at the end, none doubled, and not a reserved word (a name that
// the platform's own hosts, paths or commands use). `what` names the thing in the error.
// Errors: InvalidArgument, with the rule that was broken.
Result<std::string> parse_slug(std::string_view text, std::string_view what);

// 26 letters of Crockford's base 32: 48 bits of milliseconds, 80 of randomness
// (github.com/ulid/spec). Sorts by time.
std::string make_ulid(WallTime time, Rng& rng);
bool is_ulid(std::string_view text);

// ULIDs of which each sorts after the one before it, also within a millisecond and when the clock
// is set back (the specification's "monotonicity").
class UlidSequence final {
 public:
  // All later ones sort after `seen`, too.
  void raise(const std::string& seen);
  std::string next(WallTime time, Rng& rng);

 private:
  std::string last_;
};

}  // namespace granary::base

template <class Tag>
struct std::hash<granary::base::StrongString<Tag>> {
  std::size_t operator()(const granary::base::StrongString<Tag>& id) const noexcept {
    return std::hash<std::string>()(id.value);
  }
};

template <class Tag>
struct fmt::formatter<granary::base::StrongString<Tag>> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const granary::base::StrongString<Tag>& id, Context& context) const {
    return fmt::formatter<std::string_view>::format(id.value, context);
  }
};

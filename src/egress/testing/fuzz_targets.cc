#include "egress/testing/fuzz_targets.h"

#include <algorithm>

#include "base/check.h"
#include "egress/connect_head.h"
#include "egress/limits.h"
#include "wire/egress_policy.h"

namespace granary::egress::testing {
namespace {

bool same(const ConnectHead& a, const ConnectHead& b) {
  return a.state == b.state && a.bytes == b.bytes && a.target == b.target && a.status == b.status;
}

}  // namespace

Verdict fuzz_connect_head(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const ConnectHead whole = parse_connect(text);
  for (std::size_t part = 0; part < text.size(); part += 1 + part / 16) {
    const ConnectHead early = parse_connect(text.substr(0, part));
    ASSERT(early.state == ConnectHead::State::More || same(early, whole));
  }
  switch (whole.state) {
    case ConnectHead::State::More:
      ASSERT(text.size() < kHeadBytes);
      return Verdict::More;
    case ConnectHead::State::Refused:
      ASSERT(whole.status >= 400 && whole.status < 600 && !whole.reason.empty());
      return Verdict::Refused;
    case ConnectHead::State::Connect:
      break;
  }
  ASSERT(whole.bytes <= kHeadBytes && text.substr(0, whole.bytes).ends_with("\r\n\r\n"));
  ASSERT(!whole.target.empty() &&
         std::ranges::all_of(whole.target, [](char c) { return c > ' ' && c < 0x7f; }));
  if (const auto target = wire::parse_egress_target(whole.target))
    ASSERT(wire::parse_egress_target(wire::to_string(*target)).value() == *target);
  return Verdict::Taken;
}

}  // namespace granary::egress::testing

#include "release/testing/fuzz_targets.h"

#include "base/check.h"
#include "release/manifest.h"

namespace granary::release::testing {

Verdict fuzz_manifest(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto parsed = parse_manifest(text, "granary.yaml");
  if (!parsed) {
    ASSERT(parsed.error().message.starts_with("granary.yaml:"));
    ASSERT(parsed.error().code == base::Code::InvalidArgument ||
           parsed.error().code == base::Code::NotSupported);
    ASSERT(parsed.error().message.size() < 1000);  // outside text in it is cut short
    return Verdict::Refused;
  }
  const auto again = manifest_from_json(to_json(*parsed));
  ASSERT(again.has_value() && *again == *parsed);
  return Verdict::Taken;
}

}  // namespace granary::release::testing

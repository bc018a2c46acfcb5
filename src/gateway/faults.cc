#include "gateway/faults.h"

#include <fmt/format.h>

#include "gateway/limits.h"

namespace granary::gateway {

void Faults::note(const base::ServiceId& service, const Fault& fault) {
  ++noted_;
  const base::BootTime now = sweeper_.now();
  const Source source{service, fault.kind};
  auto known = told_.find(source);
  if (known != told_.end() && now - known->second.at < kFaultEvery) {
    ++known->second.since;
    return;
  }
  if (known == told_.end()) {
    make_room();
    if (told_.size() >= kFaultSources) return;
    known = told_.try_emplace(source).first;
  }
  std::string text =
      fmt::format("a request failed: {} (request {}", fault.reason, fault.request_id);
  if (known->second.since > 0)
    fmt::format_to(std::back_inserter(text), ", and {} more like it before", known->second.since);
  agent_.tell(service, fault.epoch, text + ")");
  known->second = {now, 0};
}

// Those that may be told again at once need not be remembered, but for their counts.
void Faults::make_room() {
  if (told_.size() < kFaultSources) return;
  const base::BootTime now = sweeper_.now();
  std::erase_if(told_, [&](const auto& one) { return now - one.second.at >= kFaultEvery; });
}

}  // namespace granary::gateway

#include "agent/silo_plan.h"

#include "base/hash.h"

namespace granary::agent {

std::string fingerprint(const SiloPlan& plan) {
  wire::ServiceSpec spec = plan.spec;
  spec.routes.clear();
  spec.health.clear();
  spec.idle.reset();
  spec.start_timeout = {};
  spec.limits.in_flight = 0;
  base::json::object document;
  document["spec"] = wire::to_json(spec);
  document["uid"] = plan.uid;
  document["release"] = plan.release_hash;
  document["name"] = plan.release_name;
  document["config"] = plan.config_json;
  // Only where there are any: silos that run from an earlier version stay what they are.
  if (!plan.secrets.empty()) document["secrets"] = wire::secrets_to_json(plan.secrets);
  return base::sha256_hex(base::json::print(document)).substr(0, 32);
}

}  // namespace granary::agent

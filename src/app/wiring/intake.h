// The API's way to the release room and to the clouds.
#pragma once

#include <map>
#include <string>

#include "api/parts.h"
#include "base/worker.h"
#include "cloud/driver.h"
#include "wire/paths.h"

namespace granary::app {

// Turns an upload into a release in the release store, then records its row. Blocking work runs
// on the worker. Lives on control's executor.
class BundleIntake final : public api::ReleaseIntake {
 public:
  struct Parts {  // all outlive the intake
    store::Store& store;
    base::Worker& worker;
    const base::Clock& clock;
    base::Rng& rng;
  };
  BundleIntake(Parts parts, wire::Paths paths) : parts_(parts), paths_(std::move(paths)) {}

  base::Task<base::Result<registry::Release>> take(std::string bundle_path, Wish wish) override;

 private:
  Parts parts_;
  wire::Paths paths_;
};

// All accounts of the one cloud that is set up so far.
class HostFleet final : public api::Fleet {
 public:
  explicit HostFleet(cloud::Driver& driver) : driver_(driver) {}
  base::Task<base::Result<cloud::Page>> list(std::string after, std::uint32_t limit) override {
    return driver_.list(std::move(after), limit);
  }

 private:
  cloud::Driver& driver_;
};

}  // namespace granary::app

#include "lifecycle/testing/simulation/options.h"

#include "base/testing/world.h"

namespace granary::lifecycle::simulation {
namespace {

using base::testing::SeededRng;
using namespace std::chrono_literals;

bool heads(SeededRng& rng) { return rng.below(2) == 0; }

void draw_cloud_faults(SeededRng& rng, Options& options) {
  if (heads(rng)) options.cloud.refuse = 0.15 * rng.unit();
  if (heads(rng)) options.cloud.lose_answer = 0.15 * rng.unit();
  if (heads(rng)) options.cloud.longest = std::chrono::milliseconds(10 + rng.below(20'000));
  if (rng.below(4) == 0) options.cloud.max_accounts = 1 + rng.below(options.tenants);
  if (heads(rng)) options.link.twice = 0.1 * rng.unit();
  if (heads(rng)) options.link.late = 0.1 * rng.unit();
  if (rng.below(3) == 0) options.link.hang = 0.03 * rng.unit();
  if (heads(rng)) options.probe_fails = 0.3 * rng.unit();
  if (heads(rng)) options.publish_fails = 0.1 * rng.unit();
  if (heads(rng)) options.archive_fails = 0.1 * rng.unit();
}

// How long customers will be busy, about.
std::chrono::seconds duration(const Options& options) {
  const auto each = options.think * options.operations / options.customers;
  return std::chrono::duration_cast<std::chrono::seconds>(each) + 20s;
}

// Something that happens now and then: up to `most` times.
std::chrono::seconds every(SeededRng& rng, const Options& options, std::uint64_t most) {
  return duration(options) / static_cast<std::int64_t>(1 + rng.below(most)) + 1s;
}

void draw_store_faults(SeededRng& rng, Options& options) {
  if (rng.below(3) == 0) options.store_fails = 0.03 * rng.unit();
  if (rng.below(3) == 0) options.store_loses = 0.03 * rng.unit();
  if (rng.below(4) == 0) options.reads_fail = 0.02 * rng.unit();
  if (rng.below(3) == 0) options.disk_full_every = every(rng, options, 4);
}

void draw_crashes(SeededRng& rng, Options& options) {
  if (heads(rng)) options.crash_at_write = 0.02 * rng.unit();
  if (rng.below(3) == 0) options.crash_at_call = 0.02 * rng.unit();
  if (heads(rng)) options.crash_every = every(rng, options, 12);
  if (rng.below(3) == 0) options.clock_jump_every = every(rng, options, 8);
}

}  // namespace

Options options_for(std::uint64_t seed) {
  SeededRng rng(seed * 2 + 1);
  Options options;
  options.seed = seed;
  const std::uint64_t size = rng.below(100);
  if (size < 60) {
    // Small: many requests for the same few tenants.
    options.tenants = 1 + static_cast<std::uint32_t>(rng.below(12));
    options.customers = 1 + static_cast<std::uint32_t>(rng.below(12));
    options.operations = 50 + static_cast<std::uint32_t>(rng.below(150));
  } else if (size < 95) {
    options.tenants = 50 + static_cast<std::uint32_t>(rng.below(200));
    options.customers = 10 + static_cast<std::uint32_t>(rng.below(60));
    options.operations = 300 + static_cast<std::uint32_t>(rng.below(500));
  } else {
    // A whole fleet.
    options.tenants = 2'000 + static_cast<std::uint32_t>(rng.below(3'000));
    options.customers = 200 + static_cast<std::uint32_t>(rng.below(400));
    options.operations = 4'000 + static_cast<std::uint32_t>(rng.below(4'000));
    options.check_every = 2'000;
  }
  options.think = std::chrono::milliseconds(10 + rng.below(2'000));
  draw_cloud_faults(rng, options);
  draw_store_faults(rng, options);
  draw_crashes(rng, options);
  if (rng.below(4) == 0) options.reboot_every = every(rng, options, 3);
  if (heads(rng)) options.replace_every = every(rng, options, 6);
  // What takes a control down must leave it time to do something in between.
  if (options.tenants >= 2'000) {
    options.crash_at_write /= 20;
    options.crash_at_call /= 20;
    options.store_loses /= 10;
  }
  return options;
}

std::string describe(const Options& o) {
  return fmt::format(
      "{} names, {} customers, {} requests; cloud: refuses {:.3f}, loses {:.3f}, up to {} ms, "
      "quota {}, twice {:.3f}, late {:.3f}, hangs {:.3f}; probe {:.2f}, publish {:.2f}, archive "
      "{:.2f}; store: fails {:.3f}, loses {:.3f}, reads {:.3f}; crash at write {:.4f}, at call "
      "{:.4f}, every {} s; disk full every {} s, clock jumps every {} s, "
      "reboots every {} s, replaced every {} s",
      o.tenants, o.customers, o.operations, o.cloud.refuse, o.cloud.lose_answer,
      o.cloud.longest.count(), o.cloud.max_accounts, o.link.twice, o.link.late, o.link.hang,
      o.probe_fails, o.publish_fails, o.archive_fails, o.store_fails, o.store_loses, o.reads_fail,
      o.crash_at_write, o.crash_at_call, o.crash_every.count(), o.disk_full_every.count(),
      o.clock_jump_every.count(), o.reboot_every.count(), o.replace_every.count());
}

}  // namespace granary::lifecycle::simulation

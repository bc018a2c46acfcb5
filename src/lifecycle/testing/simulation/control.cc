#include "lifecycle/testing/simulation/control.h"

namespace granary::lifecycle::simulation {

namespace {

store::LeaseTimes times_of(std::chrono::seconds renews) {
  return {.renew = renews, .expires = 3 * renews};
}

}  // namespace

Control::Control(Outside outside, std::shared_ptr<store::Store> store, Chances chances,
                 store::testing::FaultyStore::Faults faults, cloud::sim::LinkEnd::Watch watch)
    : disk_(std::move(store)),
      store_(*disk_, std::move(faults)),
      leased_({store_, outside.world.clock, outside.world.timer},
              {.name = "control at " + outside.place, .place = outside.place},
              times_of(outside.renews)),
      cloud_(outside.link, std::move(watch)),
      probing_(outside.world.timer, outside.world.rng, chances.probe_fails),
      publishing_(outside.world.timer, outside.world.rng, chances.publish_fails),
      archiving_(outside.world.timer, outside.world.rng, chances.archive_fails),
      prober_(probing_, outside.prober),
      publisher_(publishing_, outside.published),
      archives_(archiving_, outside.archives, outside.removing),
      clock_(outside.world.clock, outside.boot_id),
      engine_(outside.world.executor(), leased_, clock_, outside.world.timer, outside.world.rng),
      keeper_({outside.world.executor(), leased_, engine_, clock_}),
      lifecycle_(Lifecycle::Parts{.store = leased_,
                                  .engine = engine_,
                                  .clouds = {{"host", &cloud_}},
                                  .prober = prober_,
                                  .publisher = publisher_,
                                  .archives = archives_,
                                  .release_files = release_files_,
                                  .domains = outside.domains,
                                  .signing_key = outside.signing_key,
                                  .sealing_key = outside.sealing_key,
                                  .clock = clock_,
                                  .rng = outside.world.rng,
                                  .fan_out_window = kSimWindow}),
      lease_(outside.world.executor()) {
  lifecycle_.register_kinds();
}

base::Task<base::Result<void>> Control::take_lease() {
  CO_TRY(co_await leased_.try_acquire());
  lease_.spawn("lease", leased_.keep());
  co_return base::Result<void>();
}

base::Task<void> Control::close() {
  co_await engine_.close();
  co_await lease_.close();
}

void Control::kill() {
  store_.kill();
  isolate();
}

void Control::isolate() {
  isolated_ = true;
  cloud_.cut();
  probing_.cut();
  publishing_.cut();
  archiving_.cut();
}

void Control::calm() {
  for (Way* way : {&probing_, &publishing_, &archiving_}) way->calm();
}

}  // namespace granary::lifecycle::simulation

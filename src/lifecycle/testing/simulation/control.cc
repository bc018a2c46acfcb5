#include "lifecycle/testing/simulation/control.h"

namespace granary::lifecycle::simulation {

Control::Control(Outside outside, std::shared_ptr<store::Store> store, Chances chances,
                 store::testing::FaultyStore::Faults faults, cloud::sim::LinkEnd::Watch watch)
    : disk_(std::move(store)),
      store_(*disk_, std::move(faults)),
      cloud_(outside.link, std::move(watch)),
      probing_(outside.world.timer, outside.world.rng, chances.probe_fails),
      publishing_(outside.world.timer, outside.world.rng, chances.publish_fails),
      archiving_(outside.world.timer, outside.world.rng, chances.archive_fails),
      prober_(probing_, outside.prober),
      publisher_(publishing_, outside.published),
      archives_(archiving_, outside.archives, outside.removing),
      clock_(outside.world.clock, outside.boot_id),
      engine_(outside.world.executor(), store_, clock_, outside.world.timer, outside.world.rng),
      keeper_({outside.world.executor(), store_, engine_, clock_}),
      lifecycle_(Lifecycle::Parts{.store = store_,
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
                                  .rng = outside.world.rng}) {
  lifecycle_.register_kinds();
}

void Control::kill() {
  store_.kill();
  cloud_.cut();
  probing_.cut();
  publishing_.cut();
  archiving_.cut();
}

void Control::calm() {
  for (Way* way : {&probing_, &publishing_, &archiving_}) way->calm();
}

}  // namespace granary::lifecycle::simulation

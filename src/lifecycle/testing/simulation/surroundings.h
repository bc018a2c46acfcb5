// What one control plane in simulation speaks to besides its store and its cloud: prober,
// publisher, archives, domains. Each fails by chance, takes time, and is cut off when its control
// dies. What they speak for outlives them. On the world's one executor.
#pragma once

#include "base/testing/world.h"
#include "lifecycle/testing/control_world.h"

namespace granary::lifecycle::simulation {

// How calls of one kind go: shared by the surroundings of one control plane.
class Way final {
 public:
  Way(base::Timer& timer, base::Rng& rng, double fails) : timer_(timer), rng_(rng), fails_(fails) {}
  void cut() { cut_ = true; }
  void calm() { fails_ = 0; }
  // Before the work: it may take time, and not get there.
  base::Task<base::Result<void>> there();
  // After it: its answer may be lost.
  base::Result<void> back();

 private:
  base::Timer& timer_;
  base::Rng& rng_;
  double fails_;
  bool cut_ = false;
};

class SimProber final : public Prober {
 public:
  SimProber(Way& way, testing::FakeProber& prober) : way_(way), prober_(prober) {}
  base::Task<base::Result<void>> probe(base::AccountId account, std::string path) override;

 private:
  Way& way_;
  testing::FakeProber& prober_;
};

class SimPublisher final : public Publisher {
 public:
  // `published` is told when the gateways take what there is.
  SimPublisher(Way& way, std::function<void()> published)
      : way_(way), published_(std::move(published)) {}
  base::Task<base::Result<void>> publish() override;

 private:
  Way& way_;
  std::function<void()> published_;
};

class SimArchives final : public Archives {
 public:
  // `removing` is told before a file goes.
  SimArchives(Way& way, testing::FakeArchives& archives,
              std::function<void(const std::string&)> removing)
      : way_(way), archives_(archives), removing_(std::move(removing)) {}
  base::Task<base::Result<ArchiveFile>> pack(std::string id, ArchiveHead head) override;
  base::Task<base::Result<ArchiveHead>> head(std::string id) override;
  base::Task<base::Result<ArchiveHead>> unpack(std::string id, std::string transfer,
                                               std::string actor) override;
  base::Task<base::Result<void>> remove(std::string id) override;
  base::Task<base::Result<std::vector<std::string>>> list() override;

 private:
  Way& way_;
  testing::FakeArchives& archives_;
  std::function<void(const std::string&)> removing_;
};

}  // namespace granary::lifecycle::simulation

#include <functional>

#include "agent/limits.h"
#include "agent/testing/agent_world.h"

// The life cycle of the real Accounts against its whole interface: every event in every phase, and
// after every other event. Nothing may end the agent, and nothing may leave a service that cannot
// be woken any more.
namespace granary::agent {
namespace {

using std::chrono::seconds;
using wire::ServicePhase;

class ExhaustiveTest : public AgentWorld {
 protected:
  struct Event {
    std::string_view name;
    std::function<void(ExhaustiveTest&, const std::string&)> happens;
  };
  static const std::vector<Event>& events();
  static constexpr ServicePhase kPhases[] = {ServicePhase::Asleep, ServicePhase::Starting,
                                             ServicePhase::Running, ServicePhase::Stopping,
                                             ServicePhase::BackingOff};

  // A new account whose service is in that phase.
  std::string account_in(ServicePhase phase) {
    std::string name = "t" + std::to_string(++accounts_made_);
    wire::AccountSpec spec = spec_of(name);
    spec.services[0].start_timeout = seconds(2);
    spec.services[0].stop_timeout = seconds(2);
    if (accounts_made_ % 2 == 0) spec.services[0].port = 8080;
    apply(spec);
    switch (phase) {
      case ServicePhase::Asleep:
        break;
      case ServicePhase::Starting:
        launcher_.hold_starts();
        (void)begin(accounts_->activate(api(name)));
        break;
      case ServicePhase::Running:
        (void)activate(name);
        break;
      case ServicePhase::Stopping:
        (void)activate(name);
        launcher_.ignore_stops();
        (void)begin(accounts_->sleep(base::AccountId(name)));
        break;
      case ServicePhase::BackingOff:
        for (int i = 0; i < 2; ++i) {
          (void)activate(name);
          launcher_.end(api(name), kCrash);
          world_.settle();
        }
        break;
    }
    EXPECT_EQ(report(name).phase, phase);
    return name;
  }

  void change(const std::string& name, const std::function<void(wire::AccountSpec&)>& edit) {
    wire::AccountSpec spec = spec_of(name);
    edit(spec);
    ++spec.version;
    specs_[name] = spec;
    (void)begin(accounts_->apply(spec));
  }
  void silo_ends(const std::string& name, SiloEnd how) {
    if (launcher_.runs(api(name))) launcher_.end(api(name), std::move(how));
    world_.settle();
  }

  // Whatever happened: with all obstacles gone and time enough it serves again.
  void expect_it_can_be_woken(const std::string& name) {
    launcher_.release_starts();
    launcher_.heed_stops();
    slot(name).in_flight.store(0);
    world_.advance(seconds(10));  // longer than any stop or start of these
    change(name, [](wire::AccountSpec& spec) {
      spec.traffic = wire::Traffic::Allowed;
      spec.services[0].name = "api";
    });
    world_.advance(kLongestBackOff + seconds(1));
    const auto woken = activate(name);
    EXPECT_TRUE(woken.has_value()) << describe(woken.error().error);
    EXPECT_EQ(report(name).phase, ServicePhase::Running);
    EXPECT_TRUE(launcher_.runs(api(name)));
    EXPECT_EQ(slot(name).epoch.load(), woken.value_or(0));
    (void)begin(accounts_->remove(base::AccountId(name)));
    world_.advance(seconds(10));
    EXPECT_FALSE(launcher_.runs(api(name)));
    EXPECT_FALSE(doors_.is_open(api(name)));
  }

 private:
  int accounts_made_ = 0;
};

const std::vector<ExhaustiveTest::Event>& ExhaustiveTest::events() {
  static const std::vector<Event> all = {
      {"activate",
       [](auto& t, const auto& name) { (void)t.begin(t.accounts_->activate(t.api(name))); }},
      {"a request", [](auto& t, const auto& name) { t.request_begins(name); }},
      {"applied again", [](auto& t, const auto& name) { t.change(name, [](auto&) {}); }},
      {"another release",
       [](auto& t, const auto& name) {
         t.change(name, [](auto& spec) { spec.release_hash = std::string(64, 'b'); });
       }},
      {"suspended",
       [](auto& t, const auto& name) {
         t.change(name, [](auto& spec) { spec.traffic = wire::Traffic::Suspended; });
       }},
      {"its service is gone",
       [](auto& t, const auto& name) {
         t.change(name, [](auto& spec) { spec.services[0].name = "other"; });
       }},
      {"removed",
       [](auto& t, const auto& name) {
         (void)t.begin(t.accounts_->remove(base::AccountId(name)));
       }},
      {"sleep",
       [](auto& t, const auto& name) { (void)t.begin(t.accounts_->sleep(base::AccountId(name))); }},
      {"time passes", [](auto& t, const auto&) { t.world_.advance(seconds(5)); }},
      {"nobody listens",
       [](auto& t, const auto& name) {
         t.launcher_.never_listens();
         t.request_begins(name);
         t.doors_.queue(t.api(name));
         t.world_.advance(seconds(7));
       }},
      {"exit 0",
       [](auto& t, const auto& name) { t.silo_ends(name, {.kind = SiloEnd::Kind::Exited}); }},
      {"crash", [](auto& t, const auto& name) { t.silo_ends(name, kCrash); }},
      {"killed from outside",
       [](auto& t, const auto& name) { t.silo_ends(name, {.kind = SiloEnd::Kind::Unknown}); }},
      {"out of memory",
       [](auto& t, const auto& name) {
         t.silo_ends(name, {.kind = SiloEnd::Kind::Signalled, .value = 9, .out_of_memory = true});
       }},
      {"the agent starts anew",
       [](auto& t, const auto&) {
         t.launcher_.release_starts();
         t.restart();
       }},
      {"a fault of ours",
       [](auto& t, const auto& name) {
         t.launcher_.break_account(name);
         (void)t.begin(t.accounts_->activate(t.api(name)));
         t.world_.advance(seconds(3));
         t.launcher_.mend_account(name);
       }},
  };
  return all;
}

TEST_F(ExhaustiveTest, EveryEventInEveryPhaseAndAfterEveryOtherEvent) {
  for (const ServicePhase phase : kPhases) {
    for (const Event& first : events()) {
      for (const Event& second : events()) {
        SCOPED_TRACE(
            fmt::format("{}: {}, then {}", wire::to_string(phase), first.name, second.name));
        const std::string name = account_in(phase);
        first.happens(*this, name);
        second.happens(*this, name);
        expect_it_can_be_woken(name);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(ExhaustiveTest, AnyWalkThroughTheEvents) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    base::testing::SeededRng rng(seed);
    const std::string name = account_in(ServicePhase::Asleep);
    std::string walk;
    for (int step = 0; step < 12; ++step) {
      const Event& event = events()[rng.next() % events().size()];
      walk += fmt::format("{}; ", event.name);
      event.happens(*this, name);
    }
    SCOPED_TRACE(walk);
    expect_it_can_be_woken(name);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace granary::agent

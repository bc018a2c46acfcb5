// Requests under way when a life is stopped in order: they may end first.
#include "agent/accounts.h"
#include "agent/limits.h"
#include "agent/testing/agent_world.h"

namespace granary::agent {
namespace {

using base::Code;
using std::chrono::milliseconds;
using std::chrono::seconds;

class AccountsDrainTest : public AgentWorld {
 protected:
  // The account serves a request, and comes to another release.
  std::shared_ptr<Pending<base::Result<void>>> deploy_amid_a_request() {
    apply(spec_of("acme"));
    first_ = *activate("acme");
    request_begins("acme");
    wire::AccountSpec spec = spec_of("acme");
    spec.release_hash = std::string(64, 'b');
    ++spec.version;
    specs_["acme"] = spec;
    return begin(accounts_->apply(spec));
  }
  wire::AccountSpec& suspended() {
    wire::AccountSpec& spec = specs_["acme"];
    spec.traffic = wire::Traffic::Suspended;
    ++spec.version;
    return spec;
  }
  std::uint32_t first_ = 0;
};

TEST_F(AccountsDrainTest, ADeploymentLetsRequestsUnderWayEndAndHoldsThoseThatCome) {
  const auto applied = deploy_amid_a_request();
  EXPECT_EQ(slot("acme").epoch.load(), 0U);
  const auto held = begin(accounts_->activate(api("acme")));
  world_.advance(seconds(5));
  EXPECT_TRUE(launcher_.runs(api("acme"))) << "it was told to stop amid a request";
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
  EXPECT_FALSE(applied->done() || held->done());
  request_ends("acme");
  world_.advance(kDrainLook);
  ASSERT_TRUE(applied->done() && held->done());
  EXPECT_TRUE(applied->value->has_value());
  EXPECT_NE(**held->value, first_);
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
  EXPECT_EQ(launcher_.last_plan().release_hash, std::string(64, 'b'));
}

TEST_F(AccountsDrainTest, TheWaitForRequestsEndsWithTheStopTimeout) {
  const auto applied = deploy_amid_a_request();
  world_.advance(seconds(10) - milliseconds(1));
  EXPECT_TRUE(launcher_.runs(api("acme")));
  world_.advance(milliseconds(1));
  EXPECT_FALSE(launcher_.runs(api("acme")));
  EXPECT_TRUE(applied->done());
  // What was cut is told as what it is.
  EXPECT_TRUE(world_.run(accounts_->note_fault(api("acme"), first_, "it is cut")).has_value());
  EXPECT_EQ(report("acme").last_failure, "");
  EXPECT_TRUE(world_.run(accounts_->note_fault(api("acme"), first_ + 1, "it is bad")).has_value());
  EXPECT_NE(report("acme").last_failure.find("it is bad"), std::string::npos);
  request_ends("acme");
}

TEST_F(AccountsDrainTest, ALongStopTimeoutDoesNotHoldTheNextReleaseUpForAsLong) {
  wire::AccountSpec spec = spec_of("acme");
  spec.services[0].stop_timeout = seconds(300);
  specs_["acme"] = spec;
  const auto applied = deploy_amid_a_request();
  world_.advance(kDrainLongest);
  EXPECT_TRUE(applied->done());
  request_ends("acme");
}

TEST_F(AccountsDrainTest, ASuspensionLetsRequestsUnderWayEndAndARemovalDoesNot) {
  apply(spec_of("acme"));
  (void)activate("acme");
  request_begins("acme");
  const auto applied = begin(accounts_->apply(suspended()));
  world_.advance(seconds(5));
  EXPECT_TRUE(launcher_.runs(api("acme")));
  EXPECT_EQ(activate("acme").error().error.code, Code::Refused);
  request_ends("acme");
  world_.advance(kDrainLook);
  EXPECT_TRUE(applied->done());
  EXPECT_FALSE(launcher_.runs(api("acme")));

  apply(spec_of("globex"));
  (void)activate("globex");
  request_begins("globex");
  EXPECT_TRUE(world_.run(accounts_->remove(base::AccountId("globex"))).has_value());
  EXPECT_FALSE(launcher_.runs(api("globex")));
  request_ends("globex");
}

TEST_F(AccountsDrainTest, AnAppThatDiesWhileItIsWaitedForEndsTheWait) {
  const auto applied = deploy_amid_a_request();
  launcher_.end(api("acme"), kCrash);
  world_.settle();
  EXPECT_TRUE(applied->done());
  EXPECT_EQ(report("acme").last_failure, "");
  request_ends("acme");
}

// A disk cannot grow while it is mounted.
class AccountsGrowthTest : public AccountsDrainTest {
 protected:
  std::shared_ptr<Pending<base::Result<void>>> grow() {
    wire::AccountSpec spec = spec_of("acme");
    spec.disk_bytes *= 2;
    ++spec.version;
    return begin(accounts_->apply(spec));
  }
};

TEST_F(AccountsGrowthTest, ADiskGrowsBetweenTwoLivesAndWhoComesMeanwhileWaits) {
  apply(spec_of("acme"));
  first_ = *activate("acme");
  request_begins("acme");
  std::size_t running = 99;
  volumes_.on_make([&] { running = launcher_.running(); });
  const auto applied = grow();
  const auto held = begin(accounts_->activate(api("acme")));
  world_.advance(seconds(1));
  EXPECT_FALSE(applied->done());
  EXPECT_TRUE(launcher_.runs(api("acme"))) << "a request is under way";
  request_ends("acme");
  world_.advance(seconds(1));
  ASSERT_TRUE(applied->done());
  EXPECT_TRUE(applied->value->has_value());
  EXPECT_EQ(running, 0U);
  ASSERT_TRUE(held->done());
  EXPECT_NE(**held->value, first_);
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
  EXPECT_EQ(volumes_.size("acme"), 2 * spec_of("acme").disk_bytes);
}

TEST_F(AccountsGrowthTest, AFailedGrowthLeavesTheServiceAsItWas) {
  wire::AccountSpec spec = spec_of("acme");
  spec.services[0].idle = std::nullopt;
  apply(spec);
  world_.settle();
  volumes_.fail_with(base::Error{Code::NoRoom, "the machine is full", {}, {}});
  const auto applied = grow();
  world_.settle();
  ASSERT_TRUE(applied->done());
  EXPECT_EQ(applied->value->error().code, Code::NoRoom);
  EXPECT_TRUE(launcher_.runs(api("acme")));
  EXPECT_TRUE(activate("acme").has_value());
}

}  // namespace
}  // namespace granary::agent

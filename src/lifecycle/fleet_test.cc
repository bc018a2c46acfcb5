#include <gtest/gtest.h>

#include "lifecycle/testing/control_world.h"
#include "registry/audit.h"

// Plans, secrets, domains, pins, drift and the audit log.
namespace granary::lifecycle {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using namespace std::chrono_literals;
using operation::Operation;
using testing::ControlWorld;

const AccountId kAcme("acme");
const AccountId kGlobex("globex");
const AccountId kAll;
const Caller kTest{"test", ""};

class FleetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const AccountId& id : {kAcme, kGlobex})
      ASSERT_TRUE(control_.ended(control_.create(id.value)).has_value());
    control_.finish_all();
  }
  const cloud::Desired& real(const AccountId& id) const { return control_.cloud.accounts().at(id); }
  base::json::object limits_of(const AccountId& id) {
    const auto services = base::json::parse(real(id).services_json, 1U << 16);
    return services->at(0).at("limits").as_object();
  }
  void put_plan(const std::string& name, const std::string& document) {
    auto plan = registry::plan_from(*base::json::parse_object(document, 4096));
    ASSERT_TRUE(plan.has_value());
    plan->name = name;
    const auto done = control_.done(control_.lifecycle->put_plan(*plan, kTest));
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->state, operation::State::Succeeded);
    control_.finish_all();
  }
  Result<Operation> update(UpdateTenant request) {
    return control_.done(control_.lifecycle->update(std::move(request), kTest));
  }
  Result<Operation> set_secret(const AccountId& id, const std::string& name,
                               const std::string& value) {
    auto done = control_.done(control_.lifecycle->set_secret({id, name, value}, kTest));
    control_.finish_all();
    return done;
  }
  std::vector<registry::AuditEntry> entries(const std::string& subject) {
    return control_.read<std::vector<registry::AuditEntry>>([&](store::Transaction& tx) {
      return registry::list_audit(tx, {.subject = subject, .since = {}});
    });
  }

  ControlWorld control_;
};

TEST_F(FleetTest, APlanIsBroughtToItsAccountsWhenItChanges) {
  put_plan("pro", R"({"defaults": {"memory_bytes": 268435456}, "ceilings": {"cpu_millis": 250}})");
  UpdateTenant request;
  request.id = kAcme;
  request.details.plan = "pro";
  ASSERT_TRUE(update(request).has_value());
  EXPECT_EQ(limits_of(kAcme).at("memory_bytes").as_int64(), 268435456);
  EXPECT_EQ(limits_of(kAcme).at("cpu_millis").as_int64(), 250);
  EXPECT_EQ(limits_of(kGlobex).at("cpu_millis").as_int64(), 500);
  const auto before = real(kGlobex).version;
  put_plan("pro", R"({"ceilings": {"cpu_millis": 100}, "idle_ms": 5000})");
  EXPECT_EQ(limits_of(kAcme).at("cpu_millis").as_int64(), 100);
  EXPECT_EQ(limits_of(kAcme).at("memory_bytes").as_int64(), 134217728);
  EXPECT_NE(real(kAcme).services_json.find("\"idle_ms\":5000"), std::string::npos);
  EXPECT_EQ(real(kGlobex).version, before);
}

TEST_F(FleetTest, AChangeOfAPlanFollowsAWindowOfAccountsAtATime) {
  constexpr std::uint64_t kTenants = 80;
  for (std::uint64_t i = 0; i < kTenants; ++i)
    ASSERT_TRUE(control_.ended(control_.create(fmt::format("t{}", i))).has_value());
  control_.finish_all();
  std::set<base::OperationId> open;
  std::size_t most = 0;
  const auto listening = control_.engine->on_change([&](const Operation& changed) {
    if (changed.kind != "tenant.apply") return;
    operation::is_final(changed.state) ? (void)open.erase(changed.id)
                                       : (void)open.insert(changed.id);
    most = std::max(most, open.size());
  });
  auto plan =
      registry::plan_from(*base::json::parse_object(R"({"ceilings": {"cpu_millis": 100}})", 4096));
  plan->name = registry::kStandardPlan;
  const auto done = control_.done(control_.lifecycle->put_plan(*plan, kTest));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->state, operation::State::Succeeded);
  EXPECT_EQ(done->children.succeeded, kTenants + 2);
  EXPECT_EQ(done->result->at("accounts").as_int64(), kTenants + 2);
  EXPECT_LE(most, 32U);
  EXPECT_GT(most, 8U);
  EXPECT_EQ(limits_of(AccountId("t79")).at("cpu_millis").as_int64(), 100);
}

// As migration 3 leaves one that was under way: acme has its operation, globex has not.
TEST_F(FleetTest, AChangeThatTheVersionBeforeHadBegunGoesOnAfterItsLastAccount) {
  const std::string parent = "01JDAAAAAAAAAAAAAAAAAAAAAA";
  ASSERT_TRUE(control_.world.run(
      control_.store.get().write([parent](store::Transaction& tx) -> Result<void> {
        TRY(
            tx.exec("INSERT INTO operation (id, kind, subject, state, step, attempts, input, "
                    "scratch, actor, created, updated, children_begun, children_succeeded, "
                    "children_mark) VALUES (:1, 'plan.apply', 'plan/standard', 'running', "
                    "'fan-out', 1, '{\"plan\": \"standard\"}', '{}', 'test', 1, 1, 1, 1, 'acme')",
                    {parent}));
        return {};
      })));
  const auto of_acme = real(kAcme).version;
  const auto of_globex = real(kGlobex).version;
  control_.crash();
  const auto done = control_.world.run(control_.engine->wait(base::OperationId(parent)));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->state, operation::State::Succeeded);
  EXPECT_EQ(done->children.succeeded, 2U);
  EXPECT_EQ(real(kAcme).version, of_acme) << "it is not changed a second time";
  EXPECT_GT(real(kGlobex).version, of_globex);
}

TEST_F(FleetTest, AChangeThatFailsForTwentyAccountsStopsAndGoesOnWhenRetried) {
  for (int i = 0; i < 80; ++i)
    ASSERT_TRUE(control_.ended(control_.create(fmt::format("t{}", i))).has_value());
  control_.finish_all();
  for (int i = 0; i < 80; ++i) control_.cloud.lose_disk(AccountId(fmt::format("t{}", i)));
  auto plan =
      registry::plan_from(*base::json::parse_object(R"({"ceilings": {"cpu_millis": 100}})", 4096));
  plan->name = registry::kStandardPlan;
  const auto stopped = control_.done(control_.lifecycle->put_plan(*plan, kTest));
  EXPECT_EQ(stopped->state, operation::State::Failed);
  EXPECT_NE(stopped->error->message.find("too many failed"), std::string::npos);
  EXPECT_LE(stopped->children.begun, 21U + 32U + 2U);
  for (int i = 0; i < 80; ++i) control_.cloud.mend(AccountId(fmt::format("t{}", i)), "data");
  ASSERT_TRUE(control_.world.run(control_.engine->retry(stopped->id)).has_value());
  const auto done = control_.world.run(control_.engine->wait(stopped->id));
  EXPECT_EQ(done->state, operation::State::Succeeded)
      << (done->error ? base::describe(*done->error) : "");
  EXPECT_EQ(done->children.succeeded, 82U);
  EXPECT_EQ(limits_of(AccountId("t79")).at("cpu_millis").as_int64(), 100);
}

TEST_F(FleetTest, ATenantOfAPlanThatDoesNotExistIsRefused) {
  UpdateTenant request;
  request.id = kAcme;
  request.details.plan = "platinum";
  EXPECT_EQ(update(request).error().code, Code::NotFound);
  EXPECT_EQ(control_.get("acme")->plan, "standard");
}

TEST_F(FleetTest, ASecretReachesTheAccountsThatDeclareItAndIsNowhereInPlain) {
  ASSERT_TRUE(set_secret(kAll, "STRIPE_KEY", "sk_live_everybodys"));
  ASSERT_TRUE(set_secret(kAll, "NOT_DECLARED", "sk_live_unused"));
  EXPECT_EQ(real(kAcme).secrets.at("STRIPE_KEY"), "sk_live_everybodys");
  EXPECT_FALSE(real(kAcme).secrets.contains("NOT_DECLARED"));
  ASSERT_TRUE(set_secret(kAcme, "STRIPE_KEY", "sk_live_acmes_own"));
  EXPECT_EQ(real(kAcme).secrets.at("STRIPE_KEY"), "sk_live_acmes_own");
  EXPECT_EQ(real(kGlobex).secrets.at("STRIPE_KEY"), "sk_live_everybodys");
  for (const char* file : {"", "-wal"}) {
    const auto bytes = base::os::read_file(control_.store.path() + file, 64U << 20);
    ASSERT_TRUE(bytes.has_value());
    EXPECT_EQ(bytes->find("sk_live"), std::string::npos) << file;
  }
}

TEST_F(FleetTest, AnUnsetSecretLeavesEverybodys) {
  ASSERT_TRUE(set_secret(kAll, "STRIPE_KEY", "everybodys"));
  ASSERT_TRUE(set_secret(kAcme, "STRIPE_KEY", "own"));
  ASSERT_TRUE(control_.done(control_.lifecycle->unset_secret(kAcme, "STRIPE_KEY", kTest)));
  EXPECT_EQ(real(kAcme).secrets.at("STRIPE_KEY"), "everybodys");
  ASSERT_TRUE(control_.done(control_.lifecycle->unset_secret(kAll, "STRIPE_KEY", kTest)));
  control_.finish_all();
  EXPECT_TRUE(real(kAcme).secrets.empty());
  const auto again =
      control_.world.run(control_.lifecycle->unset_secret(kAll, "STRIPE_KEY", kTest));
  EXPECT_EQ(again.error().code, Code::NotFound);
}

TEST_F(FleetTest, BadSecretsAreRefused) {
  EXPECT_EQ(set_secret(kAll, "lower", "x").error().code, Code::InvalidArgument);
  EXPECT_EQ(set_secret(kAll, "KEY", "").error().code, Code::InvalidArgument);
  EXPECT_EQ(set_secret(kAll, "KEY", std::string("a\0b", 3)).error().code, Code::InvalidArgument);
  EXPECT_EQ(set_secret(kAll, "KEY", "\xff").error().code, Code::InvalidArgument);
  EXPECT_EQ(set_secret(kAll, "KEY", std::string(70'000, 'a')).error().code, Code::InvalidArgument);
  EXPECT_EQ(set_secret(AccountId("nobody"), "KEY", "x").error().code, Code::NotFound);
}

TEST_F(FleetTest, FlagsAreApartFromTheSettings) {
  UpdateTenant request;
  request.id = kAcme;
  request.details.settings = {{"flag.beta", "true"}, {"flag.theme", "dark"}, {"seats", "5"}};
  ASSERT_TRUE(update(request).has_value());
  EXPECT_EQ(real(kAcme).config_json,
            R"({"settings":{"seats":"5"},"flags":{"beta":true,"theme":"dark"}})");
}

TEST_F(FleetTest, APinnedTenantKeepsItsReleaseUntilThePinEnds) {
  const auto until = control_.world.clock.wall() + 1h;
  ASSERT_TRUE(control_.world.run(control_.lifecycle->pin(kAcme, until, kTest)).has_value());
  UpdateTenant request;
  request.id = kAcme;
  request.release = "insight-2";
  EXPECT_EQ(update(request).error().code, Code::Conflict);
  UpdateTenant rename;
  rename.id = kAcme;
  rename.details.name = "Acme Inc";
  EXPECT_TRUE(update(rename).has_value());
  control_.world.advance(2h);
  EXPECT_TRUE(update(request).has_value());
  ASSERT_TRUE(control_.world.run(control_.lifecycle->pin(kAcme, std::nullopt, kTest)).has_value());
  request.release = "insight-1";
  EXPECT_EQ(update(request).error().code, Code::Conflict);
  ASSERT_TRUE(control_.world.run(control_.lifecycle->unpin(kAcme, kTest)).has_value());
  EXPECT_TRUE(update(request).has_value());
}

TEST_F(FleetTest, ADomainIsTheTenantsOnceItsTokenIsFoundInDns) {
  const auto claim =
      control_.world.run(control_.lifecycle->claim_domain(kAcme, "Shop.Acme.example", kTest));
  ASSERT_TRUE(claim.has_value());
  const auto verify = [&] {
    return control_.done(control_.lifecycle->verify_domain(kAcme, "shop.acme.example", kTest));
  };
  EXPECT_EQ(verify().error().code, Code::Conflict);
  control_.domains.set_txt("_granary.shop.acme.example", "something else");
  EXPECT_EQ(verify().error().code, Code::Conflict);
  EXPECT_TRUE(control_.get("acme")->domains.empty());
  control_.domains.set_txt("_granary.shop.acme.example", claim->token);
  EXPECT_TRUE(verify().has_value());
  EXPECT_EQ(control_.get("acme")->domains, std::vector<std::string>{"shop.acme.example"});
}

TEST_F(FleetTest, ADomainIsTheTenantsOnceItsTokenIsFoundOnItsWebServer) {
  const auto claim =
      control_.world.run(control_.lifecycle->claim_domain(kAcme, "shop.acme.example", kTest));
  control_.domains.set_answer("shop.acme.example", claim->token + "\n");
  EXPECT_TRUE(control_.done(control_.lifecycle->verify_domain(kAcme, "shop.acme.example", kTest))
                  .has_value());
  // Another tenant's claim is too late now.
  EXPECT_EQ(
      control_.world.run(control_.lifecycle->claim_domain(kGlobex, "shop.acme.example", kTest))
          .error()
          .code,
      Code::AlreadyExists);
}

TEST_F(FleetTest, ATokenOfAnotherTenantsClaimProvesNothing) {
  const auto theirs =
      control_.world.run(control_.lifecycle->claim_domain(kGlobex, "shop.acme.example", kTest));
  ASSERT_TRUE(
      control_.world.run(control_.lifecycle->claim_domain(kAcme, "shop.acme.example", kTest)));
  control_.domains.set_txt("_granary.shop.acme.example", theirs->token);
  EXPECT_EQ(control_.done(control_.lifecycle->verify_domain(kAcme, "shop.acme.example", kTest))
                .error()
                .code,
            Code::Conflict);
}

// ---- drift

TEST_F(FleetTest, AFleetAsItShouldBeHasNoDrift) {
  const auto drift = control_.world.run(control_.lifecycle->find_drift());
  ASSERT_TRUE(drift.has_value());
  EXPECT_EQ(drift->compared, 2U);
  EXPECT_TRUE(drift->items.empty());
}

TEST_F(FleetTest, OrphansAndLostAccountsAreNamedAndOnlyTouchedByName) {
  ASSERT_TRUE(control_.world.run(control_.cloud.destroy(kGlobex)).has_value());
  cloud::Desired stray = real(kAcme);
  stray.account = AccountId("stray");
  ASSERT_TRUE(control_.world.run(control_.cloud.converge(stray)).has_value());
  const auto drift = control_.world.run(control_.lifecycle->find_drift());
  ASSERT_EQ(drift->items.size(), 2U);
  EXPECT_EQ(drift->items.at(0).kind, DriftKind::Missing);
  EXPECT_EQ(drift->items.at(1).kind, DriftKind::Orphan);
  ASSERT_TRUE(control_.done(control_.lifecycle->repair({}, kTest)).has_value());
  control_.finish_all();
  EXPECT_TRUE(control_.cloud.accounts().contains(AccountId("stray")));
  EXPECT_FALSE(control_.cloud.accounts().contains(kGlobex));
  const Repair named{.recreate = {kGlobex}, .destroy = {AccountId("stray"), kAcme}};
  ASSERT_TRUE(control_.done(control_.lifecycle->repair(named, kTest)).has_value());
  control_.finish_all();
  EXPECT_FALSE(control_.cloud.accounts().contains(AccountId("stray")));
  EXPECT_TRUE(control_.cloud.accounts().contains(kGlobex));
  EXPECT_TRUE(control_.cloud.accounts().contains(kAcme));
  EXPECT_TRUE(control_.world.run(control_.lifecycle->find_drift())->items.empty());
}

TEST_F(FleetTest, AnOutdatedAccountIsBroughtUpToDate) {
  ASSERT_TRUE(control_.world
                  .run(control_.store.get().write([&](store::Transaction& tx) -> Result<void> {
                    TRY(registry::change_details(tx, kAcme, {.settings = {{"seats", "9"}}},
                                                 control_.world.clock.wall()));
                    return {};
                  }))
                  .has_value());
  const auto drift = control_.world.run(control_.lifecycle->find_drift());
  ASSERT_EQ(drift->items.size(), 1U);
  EXPECT_EQ(drift->items.front().kind, DriftKind::Outdated);
  ASSERT_TRUE(control_.done(control_.lifecycle->repair({}, kTest)).has_value());
  control_.finish_all();
  EXPECT_NE(real(kAcme).config_json.find("\"seats\":\"9\""), std::string::npos);
}

TEST_F(FleetTest, AnAccountWhoseStateIsUnreadableIsMendedAndKeepsItsData) {
  control_.cloud.data()[kAcme] = "precious";
  control_.cloud.forget_state(kAcme);
  const auto drift = control_.world.run(control_.lifecycle->find_drift());
  ASSERT_EQ(drift->items.size(), 1U);
  EXPECT_EQ(drift->items.front().kind, DriftKind::Damaged);
  EXPECT_EQ(drift->items.front().advice, "Bring it up to date: granary drift --repair");
  ASSERT_TRUE(control_.done(control_.lifecycle->repair({}, kTest)).has_value());
  control_.finish_all();
  EXPECT_TRUE(control_.world.run(control_.lifecycle->find_drift())->items.empty());
  EXPECT_EQ(control_.cloud.data()[kAcme], "precious");
}

TEST_F(FleetTest, ALostDiskIsOnlyMadeAnewByName) {
  control_.cloud.lose_disk(kAcme);
  const auto drift = control_.world.run(control_.lifecycle->find_drift());
  ASSERT_EQ(drift->items.size(), 1U);
  EXPECT_EQ(drift->items.front().kind, DriftKind::Damaged);
  EXPECT_NE(drift->items.front().advice.find("--recreate acme"), std::string::npos);
  ASSERT_TRUE(control_.done(control_.lifecycle->repair({.recreate = {kGlobex}}, kTest)));
  control_.finish_all();
  EXPECT_EQ(control_.world.run(control_.lifecycle->find_drift())->items.size(), 1U);
  control_.cloud.data()[kGlobex] = "another's";
  const Repair named{.recreate = {kAcme, kGlobex}, .destroy = {}};
  ASSERT_TRUE(control_.done(control_.lifecycle->repair(named, kTest)).has_value());
  control_.finish_all();
  EXPECT_TRUE(control_.world.run(control_.lifecycle->find_drift())->items.empty());
  EXPECT_EQ(control_.cloud.data()[kGlobex], "another's");
}

TEST_F(FleetTest, WhatIsMendedBeforeItsTurnIsNotMadeAnew) {
  control_.cloud.lose_disk(kAcme);
  // The repair finds it broken; whoever came first brings the data back.
  const auto repair =
      control_.world.run(control_.lifecycle->repair({.recreate = {kAcme}, .destroy = {}}, kTest));
  control_.publisher.on_permit = [&](const AccountId&) { control_.cloud.mend(kAcme, "restored"); };
  ASSERT_TRUE(control_.ended(repair).has_value());
  control_.finish_all();
  EXPECT_EQ(control_.cloud.data()[kAcme], "restored");
}

TEST_F(FleetTest, AnUpdateOfAnAccountWithoutItsDiskFailsAndSaysWhy) {
  control_.cloud.lose_disk(kAcme);
  UpdateTenant request;
  request.id = kAcme;
  request.details.settings = {{{"seats", "9"}}};
  const auto updated = update(request);
  ASSERT_TRUE(updated.has_value());
  EXPECT_EQ(updated->state, operation::State::Failed);
  EXPECT_EQ(updated->error->code, Code::DataLoss);
}

// ---- the audit log

TEST_F(FleetTest, EveryChangeHasItsEntryWithActorSubjectBeforeAndAfter) {
  UpdateTenant request;
  request.id = kAcme;
  request.details.name = "Acme Inc";
  ASSERT_TRUE(update(request).has_value());
  ASSERT_TRUE(control_.world.run(control_.lifecycle->pin(kAcme, std::nullopt, kTest)).has_value());
  ASSERT_TRUE(control_.done(control_.lifecycle->offboard({.id = kAcme}, kTest)).has_value());
  const auto found = entries("tenant/acme");
  std::vector<std::string> actions;
  for (const auto& entry : found) actions.push_back(entry.action);
  EXPECT_EQ(actions, (std::vector<std::string>{"tenant.create", "tenant.update", "tenant.pin",
                                               "tenant.offboard", "tenant.destroyed"}));
  EXPECT_EQ(found.at(1).actor, "test");
  EXPECT_EQ(found.at(1).before.at("name").as_string(), "acme");
  EXPECT_EQ(found.at(1).after.at("name").as_string(), "Acme Inc");
  EXPECT_TRUE(found.at(4).actor.starts_with("operation/"));
  EXPECT_TRUE(found.at(4).after.empty());
  const auto check = control_.read<registry::AuditCheck>(
      [](store::Transaction& tx) { return registry::verify_audit(tx); });
  EXPECT_EQ(check.problem, "");
}

TEST_F(FleetTest, ARefusedRequestLeavesNoEntry) {
  const auto before = entries("").size();
  EXPECT_FALSE(control_.create("acme").has_value());
  EXPECT_FALSE(control_.create("Bad Name").has_value());
  EXPECT_EQ(entries("").size(), before);
}

}  // namespace
}  // namespace granary::lifecycle

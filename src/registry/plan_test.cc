#include "registry/plan.h"

#include "registry/testing/registry_fixture.h"

namespace granary::registry {
namespace {

using base::Code;
using base::Result;

class PlanTest : public testing::RegistryFixture {
 protected:
  Result<Plan> put(const std::string& name, const std::string& document) {
    const auto parsed = base::json::parse_object(document, 4096);
    if (!parsed) return std::unexpected(parsed.error());
    auto plan = plan_from(*parsed);
    if (!plan) return plan;
    plan->name = name;
    return in_tx<Plan>(
        [&](store::Transaction& tx) { return put_plan(tx, *plan, world_.clock.wall()); });
  }
  Result<Plan> get(const std::string& name) {
    return in_tx<Plan>([&](store::Transaction& tx) { return get_plan(tx, name); });
  }
};

constexpr const char* kPro =
    R"({"defaults": {"memory_bytes": 268435456}, "ceilings": {"memory_bytes": 536870912,
        "cpu_millis": 2000, "disk_bytes": 10737418240}, "idle_ms": 300000, "egress": true,
        "price": "49.00 EUR"})";

TEST_F(PlanTest, TheStandardPlanIsThereAndSaysNothing) {
  const auto plan = get("standard");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->defaults, PlanLimits());
  EXPECT_EQ(plan->ceilings, PlanLimits());
  EXPECT_TRUE(plan->egress);
}

TEST_F(PlanTest, APlanComesBackAsItWasPutIn) {
  const auto put_in = put("pro", kPro);
  ASSERT_TRUE(put_in.has_value());
  EXPECT_EQ(get("pro"), put_in);
  EXPECT_EQ(put_in->ceilings.cpu_millis, 2000U);
  EXPECT_EQ(put_in->idle, std::chrono::minutes(5));
  EXPECT_EQ(put_in->price, "49.00 EUR");
}

TEST_F(PlanTest, TheVersionGrowsWithAChangeAndNotWithoutOne) {
  EXPECT_EQ(put("pro", kPro)->version, 1U);
  EXPECT_EQ(put("pro", kPro)->version, 1U);
  EXPECT_EQ(put("pro", "{}")->version, 2U);
}

TEST_F(PlanTest, BadPlansAreRefusedAndNamed) {
  for (const char* document :
       {R"({"memory": 1})", R"({"ceilings": {"memory": 1}})", R"({"ceilings": 1})",
        R"({"ceilings": {"memory_bytes": 1}})", R"({"ceilings": {"cpu_millis": 0}})",
        R"({"ceilings": {"cpu_millis": "1"}})", R"({"egress": 1})", R"({"price": "free"})",
        R"({"price": "1.23456 EUR"})", R"({"price": "1 EURO"})", R"({"idle_ms": 0})",
        R"({"defaults": {"processes": 10}, "ceilings": {"processes": 5}})"})
    EXPECT_EQ(put("pro", document).error().code, Code::InvalidArgument) << document;
  EXPECT_EQ(put("Pro", "{}").error().code, Code::InvalidArgument);
  EXPECT_EQ(get("pro").error().code, Code::NotFound);
}

TEST_F(PlanTest, APlanThatAccountsHaveStaysAndSoDoesTheStandardOne) {
  ASSERT_TRUE(put("pro", kPro));
  ASSERT_TRUE(add("acme"));
  ASSERT_TRUE(change([&](store::Transaction& tx) -> Result<void> {
    TRY(change_details(tx, base::AccountId("acme"), {.plan = "pro"}, world_.clock.wall()));
    return {};
  }));
  const auto remove = [&](const char* name) {
    return change([&](store::Transaction& tx) { return remove_plan(tx, name); });
  };
  EXPECT_EQ(remove("pro").error().code, Code::Conflict);
  EXPECT_EQ(remove("standard").error().code, Code::Conflict);
  EXPECT_EQ(remove("nothing").error().code, Code::NotFound);
  ASSERT_TRUE(put("free", "{}"));
  EXPECT_TRUE(remove("free").has_value());
}

TEST_F(PlanTest, AccountsAreCountedByTheirPlan) {
  ASSERT_TRUE(add("acme") && add("globex"));
  const auto counts = in_tx<std::map<std::string, std::int64_t>>(
      [](store::Transaction& tx) { return count_by_plan(tx); });
  EXPECT_EQ(*counts, (std::map<std::string, std::int64_t>{{"standard", 2}}));
}

TEST_F(PlanTest, AccountsOfAPlanAreListedInPages) {
  for (const char* id : {"acme", "globex", "initech"}) ASSERT_TRUE(add(id));
  const auto page = in_tx<std::vector<base::AccountId>>(
      [](store::Transaction& tx) { return list_by_plan(tx, "standard", "acme", 1); });
  ASSERT_EQ(page->size(), 1U);
  EXPECT_EQ(page->front().value, "globex");
}

TEST(UnderPlanTest, ADefaultIsForWhatTheManifestLeavesAndACeilingForAll) {
  const std::optional<std::uint32_t> none;
  const std::optional<std::uint32_t> fallback = 800;
  const std::optional<std::uint32_t> ceiling = 1000;
  EXPECT_EQ(under_plan<std::uint32_t>(500, 500, none, none), 500U);
  EXPECT_EQ(under_plan<std::uint32_t>(500, 500, fallback, ceiling), 800U);
  EXPECT_EQ(under_plan<std::uint32_t>(600, 500, fallback, ceiling), 600U);
  EXPECT_EQ(under_plan<std::uint32_t>(4000, 500, fallback, ceiling), 1000U);
}

}  // namespace
}  // namespace granary::registry

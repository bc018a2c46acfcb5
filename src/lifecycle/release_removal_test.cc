// Releases are removed by hand and in time, and never under an account.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/limits.h"
#include "lifecycle/testing/control_world.h"
#include "registry/audit.h"

namespace granary::lifecycle {
namespace {

using base::Code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// The world has insight-1 and insight-2; accounts come to the first.
class ReleaseRemovalTest : public ::testing::Test {
 protected:
  base::Result<operation::Operation> remove(const std::string& name) {
    return control_.ended(
        control_.world.run(control_.lifecycle->delete_release(name, {.actor = "test"})));
  }
  base::Result<operation::Operation> update(const std::string& release) {
    UpdateTenant request;
    request.id = base::AccountId("acme");
    request.release = release;
    return control_.ended(
        control_.world.run(control_.lifecycle->update(request, {.actor = "test"})));
  }
  std::vector<std::string> releases() {
    const auto list = control_.read<std::vector<registry::Release>>(
        [](store::Transaction& tx) { return registry::list_releases(tx, 100); });
    std::vector<std::string> ids;
    for (const registry::Release& release : list) ids.push_back(release.id.value);
    std::ranges::sort(ids);
    return ids;
  }
  void add(int number) {
    registry::Release release;
    release.hash = fmt::format("{:064}", number);
    release.id = base::ReleaseId(fmt::format("old-{}", number));
    release.app = "insight";
    release.manifest = R"({"services": []})";
    control_.world.advance(1s);
    release.created = control_.world.clock.wall();
    ASSERT_TRUE(control_.world
                    .run(control_.store.get().write([&](store::Transaction& tx) {
                      const auto inserted = registry::insert_release(tx, release);
                      return inserted ? base::Result<void>() : std::unexpected(inserted.error());
                    }))
                    .has_value());
  }
  std::uint32_t sweep(std::uint32_t keep) {
    const auto removed = control_.world.run(control_.lifecycle->sweep_releases(keep));
    EXPECT_TRUE(removed.has_value());
    control_.finish_all();
    return removed.value_or(0);
  }

  testing::ControlWorld control_;
};

TEST_F(ReleaseRemovalTest, OneThatAnAccountIsAtIsRefusedAndTheAccountNamed) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto refused = remove("insight-1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("used by acme"));
  EXPECT_TRUE(control_.release_files.removed.empty());
  EXPECT_TRUE(control_.get("acme").has_value());
}

TEST_F(ReleaseRemovalTest, OneThatNobodyIsAtGoesWithItsCopiesAndFilesAndIsAudited) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  ASSERT_TRUE(update("insight-2").has_value());
  ASSERT_TRUE(control_.cloud.is_prepared("aaaa11112222"));
  const auto done = remove("insight-1");
  ASSERT_TRUE(done.has_value()) << base::describe(done.error());
  EXPECT_EQ(done->state, operation::State::Succeeded);
  EXPECT_THAT(releases(), ElementsAre("insight-2"));
  EXPECT_FALSE(control_.cloud.is_prepared("aaaa11112222"));
  EXPECT_THAT(control_.release_files.removed, ElementsAre("aaaa11112222"));
  const auto entries = control_.read<std::vector<registry::AuditEntry>>(
      [](store::Transaction& tx) { return registry::list_audit(tx, {}); });
  EXPECT_EQ(std::ranges::count_if(
                entries, [](const auto& entry) { return entry.action == "release.delete"; }),
            1);
}

TEST_F(ReleaseRemovalTest, TryingItChangesNothing) {
  ASSERT_TRUE(control_.world.run(control_.lifecycle->plan_delete_release("insight-1")).has_value());
  EXPECT_THAT(releases(), ElementsAre("insight-1", "insight-2"));
  EXPECT_EQ(remove("latest").error().code, Code::InvalidArgument);
  EXPECT_EQ(remove("nothing").error().code, Code::NotFound);
}

TEST_F(ReleaseRemovalTest, InTimeThoseGoThatAreOldUnusedAndNotAmongTheNewest) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  for (int number = 1; number <= 3; ++number) add(number);
  EXPECT_EQ(sweep(1), 0U);  // all are young
  control_.world.advance(kKeepReleases);
  add(4);
  EXPECT_EQ(sweep(10), 0U);
  EXPECT_EQ(sweep(2), 3U);  // old-4 and old-3 are the newest, insight-1 is in use
  EXPECT_THAT(releases(), ElementsAre("insight-1", "old-3", "old-4"));
  EXPECT_EQ(sweep(2), 0U);
}

// Control was killed between putting files in their place and writing the row.
TEST_F(ReleaseRemovalTest, FilesThatNoReleaseNamesGoAfterAnHour) {
  const std::string orphan(64, 'd');
  const std::string young(64, 'e');
  control_.release_files.files = {{"aaaa11112222", 48h}, {orphan, 2h}, {young, 59min}};
  const auto swept = control_.world.run(control_.lifecycle->sweep_release_files());
  ASSERT_TRUE(swept.has_value());
  EXPECT_EQ(*swept, 1U);
  EXPECT_THAT(control_.release_files.removed, ElementsAre(orphan));
  EXPECT_EQ(*control_.world.run(control_.lifecycle->sweep_release_files()), 0U);
}

TEST_F(ReleaseRemovalTest, ARefusalNamesTheTenantAndTheCommand) {
  ASSERT_TRUE(control_.ended(control_.create("acme")).has_value());
  const auto refused =
      control_.world.run(control_.lifecycle->delete_release("insight-1", {.actor = "test"}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().advice, HasSubstr("granary tenant update acme --release OTHER"));
}

}  // namespace
}  // namespace granary::lifecycle

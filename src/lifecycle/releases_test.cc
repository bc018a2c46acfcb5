// Which release a tenant gets, of which app.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lifecycle/testing/control_world.h"
#include "registry/release_row.h"

namespace granary::lifecycle {
namespace {

using base::Code;
using ::testing::HasSubstr;

const base::AccountId kAcme("acme");

class ReleasesTest : public ::testing::Test {
 protected:
  ReleasesTest() { add("shop-1", 'c', "shop"); }

  void add(const std::string& id, char digit, const std::string& app,
           const std::string& manifest = R"({"services": []})") {
    registry::Release release;
    release.hash = std::string(64, digit);
    release.id = base::ReleaseId(id);
    release.app = app;
    release.manifest = manifest;
    control_.world.advance(std::chrono::seconds(1));
    release.created = control_.world.clock.wall();
    const auto written = control_.world.run(control_.store.get().write([&](store::Transaction& tx) {
      const auto inserted = registry::insert_release(tx, release);
      return inserted ? base::Result<void>() : std::unexpected(inserted.error());
    }));
    ASSERT_TRUE(written.has_value());
  }
  base::Result<operation::Operation> create(const std::string& release) {
    CreateTenant request;
    request.id = kAcme;
    request.release = release;
    return control_.ended(
        control_.world.run(control_.lifecycle->create(request, {.actor = "test"})));
  }
  base::Result<operation::Operation> update(
      const std::string& release, UpdateTenant::OtherApp other = UpdateTenant::OtherApp::Refuse) {
    UpdateTenant request;
    request.id = kAcme;
    request.release = release;
    request.other_app = other;
    return control_.ended(
        control_.world.run(control_.lifecycle->update(request, {.actor = "test"})));
  }
  std::string desired() { return control_.get("acme")->desired_release; }

  testing::ControlWorld control_;
};

TEST_F(ReleasesTest, DataOfOneAppIsNotGivenToAnotherUnlessThatIsSaid) {
  ASSERT_TRUE(create("insight-1").has_value());
  const std::string before = desired();
  const auto refused = update("shop-1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("runs the app insight"));
  EXPECT_THAT(refused.error().advice, HasSubstr("--change-app"));
  EXPECT_EQ(desired(), before);
  ASSERT_TRUE(update("shop-1", UpdateTenant::OtherApp::Allow).has_value());
  EXPECT_EQ(desired(), std::string(64, 'c'));
}

TEST_F(ReleasesTest, LatestIsTheLatestOfTheTenantsApp) {
  ASSERT_TRUE(create("insight-1").has_value());
  add("insight-3", 'd', "insight");
  add("shop-2", 'e', "shop");
  ASSERT_TRUE(update("latest").has_value());
  EXPECT_EQ(desired(), std::string(64, 'd'));
}

TEST_F(ReleasesTest, AmongSeveralAppsANewTenantsReleaseMustBeNamed) {
  const auto refused = create("latest");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("insight and shop"));
  ASSERT_TRUE(create("insight-1").has_value());
  EXPECT_EQ(create("latest").error().code, Code::AlreadyExists) << "whatever its release would be";
}

// Otherwise a crash at its start would be found by the first visitor.
TEST_F(ReleasesTest, AServiceWithoutAHealthPathIsStartedOnceByTheCheck) {
  add("bare-1", 'f', "bare", R"({"services": [{"name": "web", "routes": ["/"]}]})");
  ASSERT_TRUE(create("bare-1").has_value());
  control_.finish_all();
  EXPECT_EQ(control_.prober.reaches(kAcme), 1);
  EXPECT_EQ(control_.get("acme")->health, registry::Health::Well);
}

TEST_F(ReleasesTest, OneThatCrashesAtItsStartFailsTheCheck) {
  add("bare-1", 'f', "bare", R"({"services": [{"name": "web", "routes": ["/"]}]})");
  control_.prober.break_release(std::string(64, 'f'));
  ASSERT_TRUE(create("bare-1").has_value());
  control_.finish_all();
  EXPECT_EQ(control_.get("acme")->health, registry::Health::Failing);
}

// One path at which an app crashes is no reason to take the release for one that does not start.
TEST_F(ReleasesTest, OneThatBreaksOffAtItsFirstPathIsWellIfItAnswersAnother) {
  add("bare-1", 'f', "bare", R"({"services": [{"name": "web", "routes": ["/"]}]})");
  control_.prober.break_off_at("/");
  ASSERT_TRUE(create("bare-1").has_value());
  control_.finish_all();
  EXPECT_EQ(control_.get("acme")->health, registry::Health::Well);
  EXPECT_EQ(control_.prober.reaches(kAcme), 2);
}

TEST_F(ReleasesTest, OneThatBreaksOffAtEveryPathFailsTheCheck) {
  add("bare-1", 'f', "bare", R"({"services": [{"name": "web", "routes": ["/"]}]})");
  control_.prober.break_off_at("");
  ASSERT_TRUE(create("bare-1").has_value());
  control_.finish_all();
  EXPECT_EQ(control_.get("acme")->health, registry::Health::Failing);
  EXPECT_THAT(control_.get("acme")->health_detail, HasSubstr("service web ended, or broke off"));
}

}  // namespace
}  // namespace granary::lifecycle

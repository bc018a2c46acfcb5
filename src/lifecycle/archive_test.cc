#include <gtest/gtest.h>

#include "base/amount.h"
#include "lifecycle/testing/control_world.h"
#include "registry/audit.h"

// Exporting, restoring, and what offboarding leaves behind.
namespace granary::lifecycle {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using namespace std::chrono_literals;
using operation::Operation;
using registry::State;
using testing::ControlWorld;

const AccountId kAcme("acme");
const AccountId kCopy("copy");
const Caller kTest{"test", ""};

class ArchiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CreateTenant request;
    request.id = kAcme;
    request.name = "Acme Inc";
    request.release = "insight-1";
    request.domains = {"shop.acme.example"};
    request.discovery = {"email-domain:acme.example"};
    request.labels = {{"region", "eu"}};
    request.settings = {{"flag.beta", "true"}};
    ASSERT_TRUE(control_.done(control_.lifecycle->create(request, kTest)).has_value());
    control_.finish_all();
    control_.cloud.data()[kAcme] = "all that acme wrote";
  }
  Result<Operation> export_acme() {
    return control_.done(control_.lifecycle->export_tenant({kAcme, 24h}, kTest));
  }
  Result<Operation> restore(const AccountId& id, const std::string& archive, Restore::Into into) {
    return control_.done(control_.lifecycle->restore(
        {.id = id, .archive = archive, .into = into, .release = {}}, kTest));
  }
  std::string exported() {
    const auto operation = export_acme();
    return operation->id.value;
  }
  std::vector<registry::Archive> archives(const AccountId& id) {
    return control_.read<std::vector<registry::Archive>>(
        [&](store::Transaction& tx) { return registry::archives_of(tx, id); });
  }

  ControlWorld control_;
};

TEST_F(ArchiveTest, AnExportHoldsTheDataAndTheConfiguration) {
  const auto done = export_acme();
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->state, operation::State::Succeeded);
  ASSERT_EQ(archives(kAcme).size(), 1U);
  const auto head = control_.world.run(control_.archives.head(done->id.value));
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->tenant, "acme");
  EXPECT_EQ(head->release_hash, "aaaa11112222");
  EXPECT_EQ(head->configuration.at("name").as_string(), "Acme Inc");
  EXPECT_FALSE(head->configuration.contains("state"));
  EXPECT_EQ(control_.get("acme")->state, State::Active);
  const auto& result = *done->result;
  EXPECT_EQ(result.at("archive_sha256").as_string(), archives(kAcme).front().sha256);
}

TEST_F(ArchiveTest, WhatAnExportCouldNotHoldStandsInItsResultAndInTheArchive) {
  control_.cloud.left_out()[kAcme].add(base::LeftOutKind::Socket, "run/app.sock");
  const auto done = export_acme();
  ASSERT_TRUE(done.has_value());
  const auto& result = *done->result;
  EXPECT_EQ(base::json::print(result.at("left_out")), R"({"sockets":1,"first":["run/app.sock"]})");
  const auto head = control_.world.run(control_.archives.head(done->id.value));
  EXPECT_EQ(head->data.left_out, control_.cloud.left_out()[kAcme]);
  const auto history = control_.world.run(control_.engine->history(done->id));
  ASSERT_TRUE(history.has_value());
  EXPECT_NE(history->front().detail.find("left out: 1 socket (first: run/app.sock)"),
            std::string::npos)
      << history->front().detail;
}

TEST_F(ArchiveTest, WhatAnExportDidIsToldInSizesThatPeopleRead) {
  const auto done = export_acme();
  ASSERT_TRUE(done.has_value());
  const auto history = control_.world.run(control_.engine->history(done->id));
  ASSERT_TRUE(history.has_value());
  std::string told;
  for (const auto& step : *history) told += step.detail + "\n";
  const std::uint64_t bytes = archives(kAcme).front().bytes;
  EXPECT_NE(told.find("archive of " + base::human_bytes(bytes)), std::string::npos) << told;
  EXPECT_EQ(told.find(" bytes"), std::string::npos) << told;
}

TEST_F(ArchiveTest, ANewTenantIsMadeOfAnArchiveWithAllButWhatIsAnothers) {
  const auto done = restore(kCopy, exported(), Restore::Into::NewTenant);
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->state, operation::State::Succeeded);
  control_.finish_all();
  const auto copy = control_.get("copy");
  ASSERT_TRUE(copy.has_value());
  EXPECT_EQ(copy->state, State::Active);
  EXPECT_EQ(copy->name, "Acme Inc");
  EXPECT_EQ(copy->labels.at("region"), "eu");
  EXPECT_EQ(copy->settings.at("flag.beta"), "true");
  EXPECT_EQ(copy->actual_release, "aaaa11112222");
  EXPECT_TRUE(copy->domains.empty());
  EXPECT_TRUE(copy->discovery.empty());
  EXPECT_EQ(control_.cloud.data()[kCopy], "all that acme wrote");
  EXPECT_EQ(control_.cloud.accounts().at(kCopy).traffic, cloud::Traffic::Allowed);
  EXPECT_EQ(copy->health, registry::Health::Well);
}

TEST_F(ArchiveTest, ATenantGetsItsDataBackAndGoesOnAsItWas) {
  const std::string archive = exported();
  control_.cloud.data()[kAcme] = "what a bug made of it";
  ASSERT_TRUE(restore(kAcme, archive, Restore::Into::ExistingTenant).has_value());
  EXPECT_EQ(control_.cloud.data()[kAcme], "all that acme wrote");
  EXPECT_EQ(control_.get("acme")->state, State::Active);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Allowed);
}

TEST_F(ArchiveTest, ASuspendedTenantStaysSuspendedAfterItsRestore) {
  const std::string archive = exported();
  ASSERT_TRUE(control_.done(control_.lifecycle->suspend(kAcme, kTest)).has_value());
  ASSERT_TRUE(restore(kAcme, archive, Restore::Into::ExistingTenant).has_value());
  EXPECT_EQ(control_.get("acme")->state, State::Suspended);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Suspended);
}

TEST_F(ArchiveTest, ARestoreOverATenantThatExistsIsRefusedUnlessItIsMeant) {
  const std::string archive = exported();
  EXPECT_EQ(restore(kAcme, archive, Restore::Into::NewTenant).error().code, Code::AlreadyExists);
  EXPECT_EQ(restore(kCopy, archive, Restore::Into::ExistingTenant).error().code, Code::NotFound);
  EXPECT_EQ(restore(kCopy, "01ARZ3NDEKTSV4RRFFQ69G5FAV", Restore::Into::NewTenant).error().code,
            Code::NotFound);
  EXPECT_EQ(control_.cloud.accounts().size(), 1U);
}

TEST_F(ArchiveTest, ANameInAnArchiveIsHeldToWhatACreationIsHeldTo) {
  const std::string archive = exported();
  auto head = control_.world.run(control_.archives.head(archive));
  head->configuration["name"] = std::string(201, 'a');
  control_.archives.put(archive, *head, "all that acme wrote");
  EXPECT_EQ(restore(kCopy, archive, Restore::Into::NewTenant).error().code, Code::InvalidArgument);
  EXPECT_EQ(control_.get("copy").error().code, Code::NotFound);
  head->configuration["name"] = "";
  control_.archives.put(archive, *head, "all that acme wrote");
  ASSERT_TRUE(restore(kCopy, archive, Restore::Into::NewTenant).has_value());
  EXPECT_EQ(control_.get("copy")->name, "copy");
}

TEST_F(ArchiveTest, DataThatCannotBeTakenLeavesATenantAsItWas) {
  const std::string archive = exported();
  auto head = control_.world.run(control_.archives.head(archive));
  head->data.sha256 = std::string(64, '0');
  control_.archives.put(archive, *head, "not what was promised");
  control_.cloud.data()[kAcme] = "newer";
  const auto failed = restore(kAcme, archive, Restore::Into::ExistingTenant);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->state, operation::State::Failed);
  EXPECT_EQ(failed->step, "conclude");
  EXPECT_EQ(control_.cloud.data()[kAcme], "newer");
  EXPECT_EQ(control_.get("acme")->state, State::Active);
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Allowed);
}

TEST_F(ArchiveTest, DataThatCannotBeTakenLeavesNothingOfANewTenant) {
  const std::string archive = exported();
  auto head = control_.world.run(control_.archives.head(archive));
  head->data.sha256 = std::string(64, '0');
  control_.archives.put(archive, *head, "not what was promised");
  EXPECT_EQ(restore(kCopy, archive, Restore::Into::NewTenant)->state, operation::State::Failed);
  EXPECT_EQ(control_.get("copy").error().code, Code::NotFound);
  EXPECT_FALSE(control_.cloud.accounts().contains(kCopy));
  control_.finish_all();
}

TEST_F(ArchiveTest, NothingElseChangesATenantWhileItIsRestored) {
  const std::string archive = exported();
  ASSERT_TRUE(control_.world
                  .run(control_.lifecycle->restore({.id = kAcme,
                                                    .archive = archive,
                                                    .into = Restore::Into::ExistingTenant,
                                                    .release = {}},
                                                   kTest))
                  .has_value());
  UpdateTenant update;
  update.id = kAcme;
  const auto code = [&](base::Task<Result<Operation>> request) {
    return control_.world.run(std::move(request)).error().code;
  };
  EXPECT_EQ(code(control_.lifecycle->update(update, kTest)), Code::Conflict);
  EXPECT_EQ(code(control_.lifecycle->suspend(kAcme, kTest)), Code::Conflict);
  EXPECT_EQ(code(control_.lifecycle->offboard({.id = kAcme}, kTest)), Code::Conflict);
  EXPECT_EQ(code(control_.lifecycle->export_tenant({kAcme, 1h}, kTest)), Code::Conflict);
  control_.finish_all();
  EXPECT_EQ(control_.get("acme")->state, State::Active);
}

TEST_F(ArchiveTest, ARestoreThatIsCalledOffIsMendedByARepair) {
  const std::string archive = exported();
  const auto begun = control_.world.run(control_.lifecycle->restore(
      {.id = kAcme, .archive = archive, .into = Restore::Into::ExistingTenant, .release = {}},
      kTest));
  control_.world.advance(60ms);
  ASSERT_TRUE(control_.world.run(control_.engine->cancel(begun->id)).has_value());
  EXPECT_EQ(control_.get("acme")->state, State::Active);
  ASSERT_TRUE(control_.done(control_.lifecycle->repair({}, kTest)).has_value());
  control_.finish_all();
  EXPECT_EQ(control_.cloud.accounts().at(kAcme).traffic, cloud::Traffic::Allowed);
  EXPECT_TRUE(control_.world.run(control_.lifecycle->find_drift())->items.empty());
}

TEST_F(ArchiveTest, ArchivesGoWhenTheirTimeHasComeAndFilesThatNobodyKnowsToo) {
  const std::string archive = exported();
  control_.archives.put(base::make_ulid(control_.world.clock.wall(), control_.world.rng), {}, "");
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 0U);
  control_.world.advance(2h);
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 1U);
  EXPECT_TRUE(control_.archives.contains(archive));
  control_.world.advance(23h);
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 1U);
  EXPECT_FALSE(control_.archives.contains(archive));
  EXPECT_TRUE(archives(kAcme).empty());
}

TEST_F(ArchiveTest, AnArchiveThatIsBeingRestoredIsNotRemoved) {
  const std::string archive = exported();
  ASSERT_TRUE(
      control_.world
          .run(control_.lifecycle->restore(
              {.id = kCopy, .archive = archive, .into = Restore::Into::NewTenant, .release = {}},
              kTest))
          .has_value());
  const auto remove = [&] {
    return control_.world.run(control_.lifecycle->remove_archive(archive, kTest));
  };
  EXPECT_EQ(remove().error().code, Code::Conflict);
  control_.finish_all();
  EXPECT_TRUE(remove().has_value());
  EXPECT_EQ(remove().error().code, Code::NotFound);
}

// ---- offboarding

base::json::object certificate_of(ControlWorld& control, const std::string& operation) {
  const auto certificate = control.read<registry::Certificate>(
      [&](store::Transaction& tx) { return registry::get_certificate(tx, operation); });
  const auto text = base::unseal(certificate.envelope, control.signing_key->public_pem());
  EXPECT_TRUE(text.has_value());
  return *base::json::parse_object(*text, 1U << 20);
}

TEST_F(ArchiveTest, OffboardingKeepsAFinalExportDestroysAllAndSignsForIt) {
  const auto begun =
      control_.world.run(control_.lifecycle->offboard({.id = kAcme, .retain = 48h}, kTest));
  ASSERT_TRUE(begun.has_value());
  control_.world.advance(1h);
  ASSERT_EQ(archives(kAcme).size(), 1U);
  EXPECT_EQ(archives(kAcme).front().kind, registry::ArchiveKind::Final);
  EXPECT_EQ(control_.world.run(control_.lifecycle->sweep_archives()), 0U);
  control_.world.advance(48h);
  EXPECT_EQ(control_.get("acme").error().code, Code::NotFound);
  EXPECT_TRUE(control_.cloud.accounts().empty());
  EXPECT_EQ(control_.archives.size(), 0U);
  EXPECT_TRUE(archives(kAcme).empty());
  const auto certificate = certificate_of(control_, begun->id.value);
  EXPECT_EQ(certificate.at("tenant").as_string(), "acme");
  EXPECT_EQ(certificate.at("asked_by").as_string(), "test");
  EXPECT_EQ(certificate.at("destroyed").as_array().size(), 4U);
}

TEST_F(ArchiveTest, APlanToOffboardSaysTheDisksSizeOnlyWhereItIsKnown) {
  const auto last_of = [&] {
    const auto plan =
        control_.world.run(control_.lifecycle->plan_offboard({.id = kAcme, .retain = 48h}));
    return plan ? plan->steps.at(3) : base::describe(plan.error());
  };
  const auto actual = control_.world.run(control_.cloud.describe(kAcme));
  EXPECT_EQ(last_of(), fmt::format("destroy the account, its disk ({} in use) and its archives",
                                   base::human_bytes(actual->disk_used_bytes)));
  control_.cloud.set_faults({.refuse = 1});
  EXPECT_EQ(last_of(), "destroy the account, its disk and its archives");
}

TEST_F(ArchiveTest, WithoutRetentionThereIsNoFinalExport) {
  const auto done = control_.done(control_.lifecycle->offboard({.id = kAcme}, kTest));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(control_.archives.size(), 0U);
  EXPECT_EQ(certificate_of(control_, done->id.value).at("destroyed").as_array().size(), 3U);
}

TEST_F(ArchiveTest, AnOffboardingThatIsCalledOffLeavesASuspendedTenantAndItsExport) {
  const auto begun =
      control_.world.run(control_.lifecycle->offboard({.id = kAcme, .retain = 48h}, kTest));
  control_.world.advance(1h);
  ASSERT_TRUE(control_.world.run(control_.engine->cancel(begun->id)).has_value());
  EXPECT_EQ(control_.get("acme")->state, State::Suspended);
  EXPECT_EQ(archives(kAcme).front().kind, registry::ArchiveKind::Export);
  ASSERT_TRUE(control_.done(control_.lifecycle->resume(kAcme, kTest)).has_value());
  EXPECT_EQ(control_.cloud.data()[kAcme], "all that acme wrote");
  control_.world.advance(72h);
  EXPECT_EQ(control_.get("acme")->state, State::Active);
}

TEST_F(ArchiveTest, ATenantWhoseCreationFailedCanBeOffboarded) {
  control_.cloud.set_faults({.max_accounts = 1});
  const auto failed = control_.ended(control_.create("globex"));
  EXPECT_EQ(failed->state, operation::State::Failed);
  const auto done =
      control_.done(control_.lifecycle->offboard({.id = AccountId("globex"), .retain = 1h}, kTest));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->state, operation::State::Succeeded);
  EXPECT_EQ(control_.get("globex").error().code, Code::NotFound);
  EXPECT_TRUE(control_.cloud.accounts().contains(kAcme));
}

}  // namespace
}  // namespace granary::lifecycle

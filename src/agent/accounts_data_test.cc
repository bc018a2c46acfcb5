#include "agent/limits.h"
#include "agent/testing/agent_world.h"
#include "base/hash.h"
#include "base/os/file.h"

namespace granary::agent {
namespace {

using base::Code;

constexpr const char* kTransfer = "01J8Z0000000000000000000AA";

class AccountsDataTest : public AgentWorld {
 protected:
  base::Result<wire::DataExport> export_data(const std::string& account) {
    return world_.run(accounts_->export_data(base::AccountId(account), kTransfer));
  }
  base::Result<void> import_data(const std::string& account, const std::string& bytes) {
    return world_.run(
        accounts_->import_data(base::AccountId(account), kTransfer, base::sha256_hex(bytes)));
  }
  void put_transfer(const std::string& bytes) {
    ASSERT_TRUE(base::os::replace_file(paths_.transfer(kTransfer), bytes, 0600,
                                       base::os::Durability::Cached));
  }
  wire::AccountSpec suspended(const std::string& account, std::uint64_t version = 1) {
    wire::AccountSpec spec = spec_of(account);
    spec.version = version;
    spec.traffic = wire::Traffic::Suspended;
    return spec;
  }
};

TEST_F(AccountsDataTest, AnExportIsTheTransferOfItsNameWhole) {
  apply(spec_of("acme"));
  volumes_.data("acme") = "customers";
  const auto written = export_data("acme");
  ASSERT_TRUE(written.has_value()) << describe(written.error());
  EXPECT_EQ(base::os::read_file(paths_.transfer(kTransfer), 100).value(), "customers");
  EXPECT_EQ(*written, (wire::DataExport{.bytes = 9,
                                        .sha256 = base::sha256_hex("customers"),
                                        .files = 1,
                                        .data_bytes = 9,
                                        .paused = std::chrono::microseconds(7)}));
  EXPECT_EQ(base::os::list_folder(paths_.transfers())->size(), 1U);
}

TEST_F(AccountsDataTest, ATransferIsMadeAnew) {
  apply(spec_of("acme"));
  put_transfer("of an attempt before");
  volumes_.data("acme") = "new";
  ASSERT_TRUE(export_data("acme").has_value());
  EXPECT_EQ(base::os::read_file(paths_.transfer(kTransfer), 100).value(), "new");
}

TEST_F(AccountsDataTest, AnExportBelongsToWhomTheTransfersDo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: giving files away";
  apply(spec_of("acme"));
  ASSERT_TRUE(base::os::give_file(paths_.transfers(), {12'345, 12'346}).has_value());
  ASSERT_TRUE(export_data("acme").has_value());
  const auto owner = base::os::owner_of(paths_.transfer(kTransfer));
  EXPECT_EQ(owner->uid, 12'345U);
  EXPECT_EQ(owner->gid, 12'346U);
}

TEST_F(AccountsDataTest, HowLongWritesMayWaitDependsOnWhetherAnybodyCouldWrite) {
  apply(spec_of("acme"));
  ASSERT_TRUE(export_data("acme").has_value());
  EXPECT_EQ(volumes_.longest_pause(), kLongestPause);
  apply(suspended("acme", 2));
  ASSERT_TRUE(export_data("acme").has_value());
  EXPECT_EQ(volumes_.longest_pause(), kLongestPauseSuspended);
}

TEST_F(AccountsDataTest, AnImportTakesThePlaceOfAllData) {
  apply(suspended("acme"));
  volumes_.data("acme") = "before";
  put_transfer("restored");
  const auto done = import_data("acme", "restored");
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(volumes_.data("acme"), "restored");
}

TEST_F(AccountsDataTest, AnotherHashIsRefused) {
  apply(suspended("acme"));
  volumes_.data("acme") = "before";
  put_transfer("altered");
  EXPECT_EQ(import_data("acme", "restored").error().code, Code::InvalidArgument);
  EXPECT_EQ(volumes_.data("acme"), "before");
}

TEST_F(AccountsDataTest, WhileTrafficIsAllowedNothingIsImported) {
  apply(spec_of("acme"));
  put_transfer("restored");
  const auto asleep = import_data("acme", "restored");
  ASSERT_FALSE(asleep.has_value());
  EXPECT_EQ(asleep.error().code, Code::Conflict);
  ASSERT_TRUE(activate("acme").has_value());
  EXPECT_EQ(import_data("acme", "restored").error().code, Code::Conflict);
  EXPECT_EQ(volumes_.data("acme"), "");
}

TEST_F(AccountsDataTest, WhileAServiceStillEndsNothingIsImported) {
  apply(spec_of("acme"));
  ASSERT_TRUE(activate("acme").has_value());
  launcher_.ignore_stops();
  const auto applied = begin(accounts_->apply(suspended("acme", 2)));
  put_transfer("restored");
  const auto imported = begin(
      accounts_->import_data(base::AccountId("acme"), kTransfer, base::sha256_hex("restored")));
  EXPECT_FALSE(applied->done());
  EXPECT_FALSE(imported->done());  // it waits for the account
  EXPECT_EQ(volumes_.data("acme"), "");
  world_.advance(std::chrono::minutes(1));  // killed by then
  ASSERT_TRUE(applied->done() && imported->done());
  EXPECT_TRUE(imported->value->has_value());
  EXPECT_EQ(volumes_.data("acme"), "restored");
}

TEST_F(AccountsDataTest, NobodysDataIsNotFound) {
  apply(suspended("acme"));
  EXPECT_EQ(export_data("nobody").error().code, Code::NotFound);
  EXPECT_EQ(import_data("acme", "missing").error().code, Code::NotFound);
  put_transfer("x");
  EXPECT_EQ(import_data("nobody", "x").error().code, Code::NotFound);
}

TEST_F(AccountsDataTest, AFailedExportLeavesNoTransfer) {
  apply(spec_of("acme"));
  volumes_.fail_with(base::Error{Code::Exhausted, "no room", {}, {}});
  EXPECT_EQ(export_data("acme").error().code, Code::Exhausted);
  EXPECT_TRUE(base::os::list_folder(paths_.transfers())->empty());
  volumes_.fail_with({});
}

TEST_F(AccountsDataTest, StoppingEndsWhatIsUnderWay) {
  apply(suspended("acme"));
  put_transfer("x");
  volumes_.on_pack([this] { accounts_->stop_transfers(); });
  EXPECT_EQ(export_data("acme").error().code, Code::Unavailable);
  EXPECT_EQ(import_data("acme", "x").error().code, Code::Unavailable);
  EXPECT_EQ(base::os::read_file(paths_.transfer(kTransfer), 10).value(), "x");
}

TEST_F(AccountsDataTest, ANewAgentClearsAwayWhatAKilledOneLeft) {
  apply(spec_of("acme"));
  put_transfer("whole");
  ASSERT_TRUE(base::os::replace_file(paths_.transfer(kTransfer) + "x.new", "half", 0600,
                                     base::os::Durability::Cached));
  restart();
  EXPECT_TRUE(volumes_.recovered("acme"));
  EXPECT_EQ(base::os::list_folder(paths_.transfers()).value(), std::vector<std::string>{kTransfer});
}

}  // namespace
}  // namespace granary::agent

// What every cloud must do, as one test suite: run against the simulator, the host's agent and
// AWS. A driver's own test gives a World that makes the driver and runs its tasks.
#pragma once

#include <gtest/gtest.h>

#include "cloud/driver.h"

namespace granary::cloud::testing {

class DriverWorld {
 public:
  virtual ~DriverWorld() = default;
  // Why this cloud cannot be tried here; empty: it can. Nothing else is called then.
  virtual std::string missing() { return ""; }
  virtual Driver& driver() = 0;
  virtual base::Result<void> run(base::Task<base::Result<void>> task) = 0;
  virtual base::Result<Actual> run(base::Task<base::Result<Actual>> task) = 0;
  virtual base::Result<Page> run(base::Task<base::Result<Page>> task) = 0;
  virtual base::Result<DataExport> run(base::Task<base::Result<DataExport>> task) = 0;
  // A release that this cloud can deploy, with one service named "api".
  virtual std::string release_hash() = 0;
  virtual std::string services_json() = 0;
  // What the account's app has written, as one text; any bytes.
  virtual void write_data(const base::AccountId& account, const std::string& bytes) = 0;
  virtual std::string read_data(const base::AccountId& account) = 0;
  // A name that a transfer may have in this cloud; `number` is small.
  virtual std::string transfer_name(int number) = 0;
};

// T is a DriverWorld with a default constructor.
template <class T>
class DriverContract : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = world_.missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
  Desired desired(const std::string& id, std::uint32_t ordinal, std::uint64_t version) {
    Desired wanted;
    wanted.account = base::AccountId(id);
    wanted.ordinal = ordinal;
    wanted.disk_bytes = 16U << 20;
    wanted.release = base::ReleaseId("contract-1");
    wanted.release_hash = world_.release_hash();
    wanted.services_json = world_.services_json();
    wanted.version = version;
    return wanted;
  }
  base::Result<Actual> converge(const Desired& wanted) {
    auto prepared = world_.run(world_.driver().prepare_release(wanted.release_hash));
    EXPECT_TRUE(prepared.has_value());
    return world_.run(world_.driver().converge(wanted));
  }

  // `account`'s data into `to`'s, through one transfer.
  base::Result<void> move_data(const std::string& account, const std::string& to) {
    const std::string transfer = world_.transfer_name(1);
    TRY_ASSIGN(const DataExport written,
               world_.run(world_.driver().export_data(base::AccountId(account), transfer)));
    return world_.run(world_.driver().import_data(base::AccountId(to), transfer, written.sha256));
  }
  // Two accounts, the second one suspended, each with data of its own.
  void make_two() {
    Desired second = desired("globex", 2, 1);
    second.traffic = Traffic::Suspended;
    ASSERT_TRUE(converge(desired("acme", 1, 1)).has_value());
    ASSERT_TRUE(converge(second).has_value());
    world_.write_data(base::AccountId("acme"), bytes_);
    world_.write_data(base::AccountId("globex"), "before");
  }

  const std::string bytes_ = std::string("\0 any bytes \xff\n", 15);
  T world_;
};

TYPED_TEST_SUITE_P(DriverContract);

TYPED_TEST_P(DriverContract, ConvergingMakesTheAccountAndTwiceIsTheSame) {
  const Desired wanted = this->desired("acme", 1, 1);
  const auto first = this->converge(wanted);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->release_hash, wanted.release_hash);
  EXPECT_EQ(first->version, 1U);
  ASSERT_EQ(first->services.size(), 1U);
  EXPECT_EQ(first->services.front().name, "api");
  const auto again = this->converge(wanted);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->version, 1U);
}

TYPED_TEST_P(DriverContract, AnOlderVersionIsRefused) {
  ASSERT_TRUE(this->converge(this->desired("acme", 1, 5)).has_value());
  const auto older = this->converge(this->desired("acme", 1, 4));
  ASSERT_FALSE(older.has_value());
  EXPECT_EQ(older.error().code, base::Code::Conflict);
}

TYPED_TEST_P(DriverContract, DestroyingForgetsTheAccountAndAnUnknownOneIsSuccess) {
  ASSERT_TRUE(this->converge(this->desired("acme", 1, 1)).has_value());
  auto& driver = this->world_.driver();
  EXPECT_TRUE(this->world_.run(driver.destroy(base::AccountId("acme"))).has_value());
  EXPECT_TRUE(this->world_.run(driver.destroy(base::AccountId("acme"))).has_value());
  const auto gone = this->world_.run(driver.describe(base::AccountId("acme")));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, base::Code::NotFound);
}

TYPED_TEST_P(DriverContract, ListingPagesThroughAllAccountsInOrder) {
  for (std::uint32_t i = 1; i <= 5; ++i)
    ASSERT_TRUE(this->converge(this->desired(fmt::format("t{}", i), i, 1)).has_value());
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = this->world_.run(this->world_.driver().list(after, 2));
    ASSERT_TRUE(page.has_value());
    for (const Actual& account : page->accounts) seen.push_back(account.account.value);
    after = page->next;
  } while (!after.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"t1", "t2", "t3", "t4", "t5"}));
}

TYPED_TEST_P(DriverContract, ExportedDataArrivesInAnotherAccountByteForByte) {
  this->make_two();
  const auto written = this->world_.run(
      this->world_.driver().export_data(base::AccountId("acme"), this->world_.transfer_name(1)));
  ASSERT_TRUE(written.has_value()) << describe(written.error());
  EXPECT_EQ(written->files, 1U);
  EXPECT_EQ(written->data_bytes, this->bytes_.size());
  EXPECT_EQ(written->sha256.size(), 64U);
  const auto moved = this->move_data("acme", "globex");
  ASSERT_TRUE(moved.has_value()) << describe(moved.error());
  EXPECT_EQ(this->world_.read_data(base::AccountId("globex")), this->bytes_);
  EXPECT_EQ(this->world_.read_data(base::AccountId("acme")), this->bytes_);
}

TYPED_TEST_P(DriverContract, ImportingAnotherHashThanTheFilesIsRefusedAndChangesNothing) {
  this->make_two();
  auto& driver = this->world_.driver();
  const std::string transfer = this->world_.transfer_name(1);
  ASSERT_TRUE(this->world_.run(driver.export_data(base::AccountId("acme"), transfer)).has_value());
  const auto refused = this->world_.run(
      driver.import_data(base::AccountId("globex"), transfer, std::string(64, '0')));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::Code::InvalidArgument);
  EXPECT_EQ(this->world_.read_data(base::AccountId("globex")), "before");
}

TYPED_TEST_P(DriverContract, ImportingIntoAnAccountThatTakesTrafficIsAConflict) {
  this->make_two();
  const auto refused = this->move_data("globex", "acme");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::Code::Conflict);
  EXPECT_EQ(this->world_.read_data(base::AccountId("acme")), this->bytes_);
}

TYPED_TEST_P(DriverContract, DataOfNobodyIsNotFound) {
  this->make_two();
  auto& driver = this->world_.driver();
  const std::string transfer = this->world_.transfer_name(2);
  const auto gone = this->world_.run(driver.export_data(base::AccountId("nobody"), transfer));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, base::Code::NotFound);
  const auto missing = this->world_.run(
      driver.import_data(base::AccountId("globex"), transfer, std::string(64, '0')));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, base::Code::NotFound);
  EXPECT_EQ(this->world_.read_data(base::AccountId("globex")), "before");
}

REGISTER_TYPED_TEST_SUITE_P(DriverContract, ConvergingMakesTheAccountAndTwiceIsTheSame,
                            AnOlderVersionIsRefused,
                            DestroyingForgetsTheAccountAndAnUnknownOneIsSuccess,
                            ListingPagesThroughAllAccountsInOrder,
                            ExportedDataArrivesInAnotherAccountByteForByte,
                            ImportingAnotherHashThanTheFilesIsRefusedAndChangesNothing,
                            ImportingIntoAnAccountThatTakesTrafficIsAConflict,
                            DataOfNobodyIsNotFound);

}  // namespace granary::cloud::testing

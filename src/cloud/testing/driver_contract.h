// What every cloud must do, as one test suite: run against the simulator, the host's agent and
// AWS. A driver's own test gives a World that makes the driver and runs its tasks.
#pragma once

#include <gtest/gtest.h>

#include "cloud/driver.h"

namespace granary::cloud::testing {

class DriverWorld {
 public:
  virtual ~DriverWorld() = default;
  virtual Driver& driver() = 0;
  virtual base::Result<void> run(base::Task<base::Result<void>> task) = 0;
  virtual base::Result<Actual> run(base::Task<base::Result<Actual>> task) = 0;
  virtual base::Result<Page> run(base::Task<base::Result<Page>> task) = 0;
  // A release that this cloud can deploy, with one service named "api".
  virtual std::string release_hash() = 0;
  virtual std::string services_json() = 0;
};

// T is a DriverWorld with a default constructor.
template <class T>
class DriverContract : public ::testing::Test {
 protected:
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

REGISTER_TYPED_TEST_SUITE_P(DriverContract, ConvergingMakesTheAccountAndTwiceIsTheSame,
                            AnOlderVersionIsRefused,
                            DestroyingForgetsTheAccountAndAnUnknownOneIsSuccess,
                            ListingPagesThroughAllAccountsInOrder);

}  // namespace granary::cloud::testing

#include "app/wiring/snapshot_publisher.h"

#include <gtest/gtest.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"
#include "release/manifest.h"
#include "store/testing/temporary_store.h"

namespace granary::app {
namespace {

using base::Result;

class SnapshotPublisherTest : public ::testing::Test {
 protected:
  SnapshotPublisherTest()
      : publisher_(world_.executor(),
                   {store_.get(), world_.worker, world_.clock, world_.timer,
                    [this] {
                      ++looks_;
                      return in_force_;
                    }},
                   wire::Paths(folder_.path()), "example") {
    EXPECT_TRUE(base::os::make_folders(folder_.path() + "/publish", 0700));
    const auto manifest = release::parse_manifest(
        "app: insight\nservices:\n  api:\n    command: [python3]\n    listen: fd\n"
        "    routes: [/api/]\n    limits: {in_flight: 7}\n",
        "granary.yaml");
    EXPECT_TRUE(manifest.has_value());
    registry::Release row;
    row.hash = "abc";
    row.id = base::ReleaseId("insight-1");
    row.manifest = base::json::print(release::to_json(*manifest));
    add_release(row);
    row.hash = "def";
    row.id = base::ReleaseId("insight-2");
    auto with_egress = *manifest;
    with_egress.egress = {"api.example.com:443"};
    row.manifest = base::json::print(release::to_json(with_egress));
    add_release(row);
    row.hash = "both";
    row.id = base::ReleaseId("insight-3");
    with_egress.egress = {"b.example:80", "api.example.com:443"};
    row.manifest = base::json::print(release::to_json(with_egress));
    add_release(row);
  }
  void add_release(const registry::Release& row) {
    write([row](store::Transaction& tx) -> Result<void> {
      TRY(registry::insert_release(tx, row));
      return {};
    });
  }
  wire::EgressPolicy policy() {
    const auto text = base::os::read_file(wire::Paths(folder_.path()).egress_policy(), 1U << 20);
    EXPECT_TRUE(text.has_value());
    return wire::decode_egress_policy(text.value_or("")).value_or(wire::EgressPolicy());
  }
  ~SnapshotPublisherTest() override { world_.run(publisher_.close()); }

  std::string file() const { return wire::Paths(folder_.path()).routing(); }
  void write(store::Work work) { ASSERT_TRUE(world_.run(store_.get().write(std::move(work)))); }
  void add(const std::string& id, registry::State state, const std::string& release) {
    registry::Account account;
    account.id = base::AccountId(id);
    account.name = "Name of " + id;
    account.state = state;
    account.desired_release = account.actual_release = release;
    account.domains = {id + ".example.com"};
    write([account](store::Transaction& tx) -> Result<void> {
      TRY(registry::insert(tx, account));
      TRY(registry::assign_slots(tx, account.id, {"api"}));
      return {};
    });
  }
  void desire(const std::string& id, const std::string& release) {
    write([id, release](store::Transaction& tx) -> Result<void> {
      TRY(registry::set_desired_release(tx, base::AccountId(id), release, {}));
      return {};
    });
  }
  std::uint32_t ordinal_of(const std::string& id) {
    std::uint32_t ordinal = 0;
    EXPECT_TRUE(world_.run(store_.get().read([&](store::Transaction& tx) -> Result<void> {
      TRY_ASSIGN(const auto account, registry::get(tx, base::AccountId(id)));
      ordinal = account.ordinal;
      return {};
    })));
    return ordinal;
  }
  wire::Snapshot published() {
    EXPECT_TRUE(world_.run(publisher_.publish()));
    const auto text = base::os::read_file(file(), 1U << 20);
    EXPECT_TRUE(text.has_value());
    return wire::decode_snapshot(text.value_or("")).value_or(wire::Snapshot());
  }

  // What the gateway says; by default, that it has whatever is published.
  std::uint64_t in_force_ = std::numeric_limits<std::uint64_t>::max();
  int looks_ = 0;
  base::testing::World world_;
  base::testing::TemporaryFolder folder_;
  store::testing::TemporaryStore store_;
  SnapshotPublisher publisher_;
};

TEST_F(SnapshotPublisherTest, TenantsAreRoutedToWhatIsDeployedWithTheirSlots) {
  add("acme", registry::State::Active, "abc");
  add("globex", registry::State::Suspended, "abc");
  const wire::Snapshot snapshot = published();
  ASSERT_EQ(snapshot.releases.size(), 1U);
  EXPECT_EQ(snapshot.releases[0].services[0].routes, std::vector<std::string>{"/api/"});
  EXPECT_EQ(snapshot.releases[0].services[0].in_flight, 7U);
  ASSERT_EQ(snapshot.tenants.size(), 2U);
  EXPECT_EQ(snapshot.tenants[0].public_name, "Name of acme");
  EXPECT_EQ(snapshot.tenants[0].ordinal, ordinal_of("acme"));
  EXPECT_EQ(snapshot.tenants[0].domains, std::vector<std::string>{"acme.example.com"});
  EXPECT_EQ(snapshot.tenants[0].slots, std::vector<std::uint32_t>{1});
  EXPECT_EQ(snapshot.tenants[1].state, wire::RouteState::Suspended);
  EXPECT_EQ(snapshot.tenants[1].slots, std::vector<std::uint32_t>{2});
}

TEST_F(SnapshotPublisherTest, OnlyActiveTenantsWhoseReleaseSaysSoMayConnectToTheOutside) {
  add("acme", registry::State::Active, "abc");
  add("globex", registry::State::Active, "def");
  add("initech", registry::State::Suspended, "def");
  (void)published();
  const wire::EgressPolicy found = policy();
  ASSERT_EQ(found.accounts.size(), 1U);
  EXPECT_EQ(found.accounts[0].account.value, "globex");
  EXPECT_EQ(found.accounts[0].ordinal, ordinal_of("globex"));
  EXPECT_EQ(found.lists.at(found.accounts[0].list),
            std::vector<std::string>{"api.example.com:443"});
}

TEST_F(SnapshotPublisherTest, WhatIsToBeDeployedMayConnectBeforeItIsThere) {
  add("acme", registry::State::Creating, "");
  add("globex", registry::State::Active, "abc");
  add("initech", registry::State::Active, "both");
  for (const char* id : {"acme", "globex", "initech"}) desire(id, "def");
  (void)published();
  const wire::EgressPolicy found = policy();
  const auto list_of = [&](const std::string& id) {
    const auto account =
        std::ranges::find(found.accounts, base::AccountId(id), &wire::EgressAccount::account);
    return account == found.accounts.end() ? std::vector<std::string>()
                                           : found.lists.at(account->list);
  };
  const std::vector<std::string> desired = {"api.example.com:443"};
  EXPECT_EQ(list_of("acme"), desired);
  EXPECT_EQ(list_of("globex"), desired);
  EXPECT_EQ(list_of("initech"), (std::vector<std::string>{"api.example.com:443", "b.example:80"}));
  EXPECT_EQ(found.lists.size(), 2U);
}

TEST_F(SnapshotPublisherTest, PermittingWritesThePolicyAloneAndOnlyWhereItAllowsTooLittle) {
  add("acme", registry::State::Active, "abc");
  (void)published();
  const auto stamp = [this] { return base::os::file_stamp(file()).value(); };
  const auto routing = stamp();
  const auto permit = [this] { return world_.run(publisher_.permit(base::AccountId("acme"))); };
  looks_ = 0;
  EXPECT_TRUE(permit());  // its release declares nothing
  EXPECT_TRUE(policy().accounts.empty());
  desire("acme", "def");
  EXPECT_TRUE(permit());
  EXPECT_EQ(policy().accounts.size(), 1U);
  const std::string egress = wire::Paths(folder_.path()).egress_policy();
  const auto before = base::os::file_stamp(egress);
  EXPECT_TRUE(permit());  // it is in place
  EXPECT_EQ(base::os::file_stamp(egress).value(), before.value());
  desire("acme", "both");
  EXPECT_TRUE(permit());
  EXPECT_NE(base::os::file_stamp(egress).value(), before.value());
  EXPECT_EQ(stamp(), routing);
  EXPECT_EQ(looks_, 0);  // the gateway is not waited for
  EXPECT_FALSE(world_.run(publisher_.permit(base::AccountId("nobody"))));
}

TEST_F(SnapshotPublisherTest, WhoPublishesWhileAnotherPermitsGetsHisSnapshot) {
  add("acme", registry::State::Active, "def");
  int done = 0;
  const auto count = [&](const std::exception_ptr&, const Result<void>& result) {
    done += result ? 1 : 0;
  };
  base::asio::co_spawn(world_.context, publisher_.permit(base::AccountId("acme")), count);
  base::asio::co_spawn(world_.context, publisher_.publish(), count);
  base::asio::co_spawn(world_.context, publisher_.permit(base::AccountId("acme")), count);
  world_.advance(std::chrono::seconds(1));
  EXPECT_EQ(done, 3);
  const auto text = base::os::read_file(file(), 1U << 20);
  EXPECT_EQ(wire::decode_snapshot(text.value_or(""))->tenants.size(), 1U);
}

TEST_F(SnapshotPublisherTest, AccountsThatAreNoMoreAreSaidToBeGoneAndNoOthers) {
  using registry::State;
  for (const char* id : {"a", "b", "c", "d"}) add(id, State::Suspended, "");
  (void)published();
  EXPECT_EQ(policy().gone, wire::OrdinalRanges());
  const auto remove = [&](const std::string& id) {
    write([id](store::Transaction& tx) { return registry::remove(tx, base::AccountId(id)); });
    (void)published();
  };
  const std::uint32_t first = ordinal_of("a");
  ASSERT_EQ(first, 1U);
  remove("b");
  EXPECT_EQ(policy().gone, (wire::OrdinalRanges{{2, 2}}));
  remove("d");  // the last that there was
  EXPECT_EQ(policy().gone, (wire::OrdinalRanges{{2, 2}, {4, 4}}));
  remove("c");
  EXPECT_EQ(policy().gone, (wire::OrdinalRanges{{2, 4}}));
  add("b", State::Creating, "");  // another one of this name
  (void)published();
  EXPECT_EQ(policy().gone, (wire::OrdinalRanges{{2, 4}}));
  EXPECT_EQ(ordinal_of("b"), 5U);
  remove("a");
  remove("b");
  EXPECT_EQ(policy().gone, (wire::OrdinalRanges{{1, 5}}));
  EXPECT_EQ(published().gone, policy().gone);
}

TEST_F(SnapshotPublisherTest, ThePolicyIsWrittenAgainOnlyWhenItChanges) {
  add("globex", registry::State::Active, "def");
  (void)published();
  const std::string egress = wire::Paths(folder_.path()).egress_policy();
  const auto before = base::os::file_stamp(egress);
  add("acme", registry::State::Active, "abc");
  (void)published();
  EXPECT_EQ(base::os::file_stamp(egress).value(), before.value());
  add("initech", registry::State::Active, "def");
  (void)published();
  EXPECT_EQ(policy().accounts.size(), 2U);
}

TEST_F(SnapshotPublisherTest, WhatIsNotServedIsLeftOut) {
  add("new", registry::State::Creating, "abc");
  add("gone", registry::State::Offboarding, "abc");
  add("bare", registry::State::Active, "");
  EXPECT_TRUE(published().tenants.empty());
}

TEST_F(SnapshotPublisherTest, CallsAtTheSameTimeShareASnapshotThatCoversAll) {
  int done = 0;
  for (int i = 0; i < 50; ++i)
    base::asio::co_spawn(
        world_.context, publisher_.publish(),
        [&](const std::exception_ptr&, const Result<void>& result) { done += result ? 1 : 0; });
  add("late", registry::State::Active, "abc");
  EXPECT_EQ(published().tenants.size(), 1U);
  EXPECT_EQ(done, 50);
}

TEST_F(SnapshotPublisherTest, AGatewayThatDoesNotFollowIsWaitedForOnce) {
  in_force_ = 1;
  EXPECT_FALSE(published().releases.empty() && looks_ < 100);
  const int looks = looks_;
  EXPECT_GT(looks, 100);
  (void)published();
  EXPECT_EQ(looks_, looks + 1);
  in_force_ = 2;  // it is back, but behind
  (void)published();
  EXPECT_GT(looks_, looks + 100);
}

TEST_F(SnapshotPublisherTest, AFileThatCannotBeWrittenIsAnError) {
  ASSERT_TRUE(base::os::make_folders(file() + ".new", 0700));  // in the way of the new file
  EXPECT_FALSE(world_.run(publisher_.publish()));
}

}  // namespace
}  // namespace granary::app

#include "egress/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/pieces.h"
#include "egress/limits.h"
#include "egress/testing/egress_world.h"

namespace granary::egress {
namespace {

using boost::asio::ip::make_address;
using testing::App;
using testing::EgressWorld;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::kConnected;
using ::testing::Not;
using testing::Server;
using ::testing::StartsWith;

class ProxyTest : public ::testing::Test, protected EgressWorld {
 protected:
  void SetUp() override {
    allow({target("out.example")});
    start();
  }
  // An app and a server that are connected to each other.
  struct Pair {
    App app;
    Server server;
  };
  Pair connected() {
    App asking = ask_outside("out.example");
    Server server = accept();
    EXPECT_EQ(asking.read(kConnected.size()), kConnected);
    return {std::move(asking), std::move(server)};
  }
};

TEST_F(ProxyTest, AnAllowedConnectionCarriesBytesBothWaysAndIsMetered) {
  Pair pair = connected();
  pair.app.send("hello");
  EXPECT_EQ(pair.server.read(5), "hello");
  pair.server.send("welcome");
  EXPECT_EQ(pair.app.read(7), "welcome");
  EXPECT_THAT(usage(), HasSubstr(R"({"account":"acme","ordinal":0,"bytes_up":5,"bytes_down":7,)"
                                 R"("connections":1,"refused":0})"));  // while it is open
  pair.app.say_all();
  EXPECT_EQ(pair.server.read_all(), "");
  pair.server.say_all();
  EXPECT_EQ(pair.app.read_all(), "");
  EXPECT_THAT(log(), HasSubstr(" " + target("out.example") + " 127.0.0.1 5 7 "));
  EXPECT_THAT(log(), EndsWith(" closed\n"));
}

TEST_F(ProxyTest, HostsAreComparedWithoutCaseAndWithoutTheDotAtTheirEnd) {
  App asking = ask_outside("OUT.Example.");
  EXPECT_EQ(asking.read(kConnected.size()), kConnected);
}

TEST_F(ProxyTest, WhatTheAppSendsWithItsRequestIsNotLost) {
  App early = app();
  early.send(testing::connect_to(target("out.example")) + "early");
  Server server = accept();
  EXPECT_EQ(server.read(5), "early");
  EXPECT_THAT(usage(), HasSubstr(R"("bytes_up":5)"));
}

TEST_F(ProxyTest, AHeadMayArriveByteByByte) {
  App slow = app();
  for (const char c : testing::connect_to(target("out.example")))
    slow.send(std::string_view(&c, 1));
  EXPECT_EQ(slow.read(kConnected.size()), kConnected);
}

TEST_F(ProxyTest, ARequestIsAnsweredTheSameInWhateverPiecesItArrives) {
  using base::testing::Cuts;
  for (const std::string& head :
       {testing::connect_to(target("out.example")), testing::connect_to("other.example:443"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("CONNECT a:1 HTTP/1.1\r\nA: \x01\r\n\r\n")}) {
    const auto ask = [&](const Cuts& cuts) {
      App asking = app();
      for (const std::string_view piece : base::testing::pieces_of(head, cuts)) {
        asking.send(piece);
        world.settle();
      }
      const std::string answer = asking.read(kConnected.size());
      if (answer == kConnected) (void)accept();  // closed at once: both sessions end
      return answer;
    };
    const std::string whole = ask({});
    base::testing::for_each_cutting(head, [&](const Cuts& cuts) {
      ASSERT_EQ(ask(cuts), whole) << base::testing::text_of(cuts) << " of " << head;
    });
  }
}

TEST_F(ProxyTest, AHostThatIsNotDeclaredIsRefusedWithTheLineToAddBeforeAnybodyIsAsked) {
  for (const std::string& wanted : {std::string("other.example:443"), std::string("out.example:1"),
                                    target("sub.out.example"), target("out.example.evil")}) {
    const std::string answer = ask(wanted).read_all();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
    EXPECT_THAT(answer, HasSubstr("egress: [" + wanted + "]"));
    EXPECT_THAT(log(), EndsWith(" " + wanted + " - 0 0 0.000 not-declared\n"));
  }
  EXPECT_EQ(resolver.asked, 0);
  EXPECT_TRUE(nobody_came());
  EXPECT_THAT(usage(), HasSubstr(R"("connections":0,"refused":4)"));
}

TEST_F(ProxyTest, AddressesInsteadOfNamesAreRefused) {
  for (const std::string& wanted : {target("127.0.0.1"), target("[::1]"), target("2130706433")}) {
    EXPECT_THAT(ask(wanted).read_all(), HasSubstr("names an address"));
  }
  EXPECT_TRUE(nobody_came());
}

TEST_F(ProxyTest, AnAllowedNameForAnInnerAddressIsRefused) {
  for (const char* inner : {"10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.2", "fd00::1",
                            "64:ff9b::7f00:1", "127.0.0.2"}) {
    resolver.set("out.example", {{make_address(inner)}});
    const std::string answer = ask_outside("out.example").read_all();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 ")) << inner;
    EXPECT_THAT(answer, Not(HasSubstr(inner)));  // what the platform's network is like is its own
    EXPECT_THAT(log(), EndsWith(" address-refused\n"));
  }
  EXPECT_TRUE(nobody_came());
}

TEST_F(ProxyTest, AnAddressOfTheMachineItselfIsRefusedAlthoughItIsGlobal) {
  own = {make_address("93.184.216.34")};
  resolver.set("out.example", {own});
  EXPECT_THAT(ask_outside("out.example").read_all(), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(log(), HasSubstr("93.184.216.34 0 0 "));
}

TEST_F(ProxyTest, AddressesThatMayNotBeAreSkippedAndTheNextIsTried) {
  resolver.set("out.example",
               {{make_address("10.0.0.1"), make_address("::1"), make_address("127.0.0.1")}});
  connected();
  EXPECT_EQ(resolver.asked, 1);
}

// DNS rebinding: what was checked is what is connected to.
TEST_F(ProxyTest, ANameIsResolvedOnceAndItsCheckedAddressIsConnectedTo) {
  resolver.set("out.example", {{make_address("127.0.0.1")}, {make_address("169.254.169.254")}});
  Pair pair = connected();
  EXPECT_EQ(resolver.asked, 1);
  EXPECT_THAT(ask_outside("out.example").read_all(), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(resolver.asked, 2);
  pair.app.send("still here");
  EXPECT_EQ(pair.server.read(10), "still here");
}

TEST_F(ProxyTest, WithoutPermissionOfTheOperatorLoopbackIsRefused) {
  stop();
  permitted.clear();
  start();
  EXPECT_THAT(ask_outside("out.example").read_all(), HasSubstr("--egress-allow"));
  EXPECT_TRUE(nobody_came());
}

TEST_F(ProxyTest, AnAccountThatIsSuspendedLosesWhatItHasOpenAndGetsNothingNew) {
  Pair pair = connected();
  publish({.lists = {}, .accounts = {}, .gone = {}});
  EXPECT_EQ(pair.app.read_all(), "");
  EXPECT_EQ(pair.server.read_all(), "");
  EXPECT_THAT(ask_outside("out.example").read_all(), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(log(), EndsWith(" cut\n"));
  allow({target("out.example")});
  connected();
}

TEST_F(ProxyTest, AConnectionIsCutWhenItsTargetIsTakenFromTheListAndOthersGoOn) {
  allow({target("out.example"), target("two.example")});
  resolver.set("two.example", {{make_address("127.0.0.1")}});
  Pair stays = connected();
  App goes = ask_outside("two.example");
  EXPECT_EQ(goes.read(kConnected.size()), kConnected);
  allow({target("out.example")});
  EXPECT_EQ(goes.read_all(), "");
  stays.app.send("x");
  EXPECT_EQ(stays.server.read(1), "x");
}

TEST_F(ProxyTest, AUserThatIsNoAccountsIsRefusedWhateverItAsks) {
  publish({.lists = {{target("out.example")}},
           .accounts = {{base::AccountId("globex"), 1, 0}},
           .gone = {}});
  world.settle();  // so that it is not acme that is found, and then cut
  EXPECT_THAT(ask_outside("out.example").read_all(), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(nobody_came());
  EXPECT_FALSE(base::os::exists(paths.egress_log(base::AccountId("globex"), 1)));
}

TEST_F(ProxyTest, ControlIsAnsweredThatTheRoleServesAndIsNoStranger) {
  stop();
  control_uid = static_cast<std::uint32_t>(::getuid());
  start();
  publish({.lists = {}, .accounts = {}, .gone = {}});
  world.settle();
  EXPECT_THAT(ask("x").read_all(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(proxy->reading().counters.strangers, 0U);
}

TEST_F(ProxyTest, ANewPolicyIsInForceForTheNextRequest) {
  allow({target("two.example")});
  resolver.set("two.example", {{make_address("127.0.0.1")}});
  EXPECT_EQ(ask_outside("two.example").read(kConnected.size()), kConnected);
}

TEST_F(ProxyTest, ADamagedOrMissingPolicyLeavesTheOneBeforeInForce) {
  ASSERT_TRUE(
      base::os::replace_file(paths.egress_policy(), "{}", 0644, base::os::Durability::Cached));
  connected();
  EXPECT_THAT(ask("other.example:1").read_all(), StartsWith("HTTP/1.1 403 "));
  ASSERT_TRUE(base::os::remove_file(paths.egress_policy()));
  connected();
  EXPECT_THAT(ask("other.example:1").read_all(), StartsWith("HTTP/1.1 403 "));
}

TEST_F(ProxyTest, WhatIsNoConnectIsToldSo) {
  App get = app();
  get.send("GET http://out.example/ HTTP/1.1\r\nHost: out.example\r\n\r\n");
  const std::string answer = get.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("\r\nAllow: CONNECT\r\n"));
  App half = app();
  half.send("CONNECT out");
  half.say_all();
  EXPECT_THAT(half.read_all(), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(log(), EndsWith(" - - 0 0 0.000 bad-request\n"));
}

TEST_F(ProxyTest, AHeadThatDoesNotArriveInTimeIsGivenUp) {
  App slow = app();
  slow.send("CONNECT out.example");
  world.settle();
  advance(kHeadDeadline);
  EXPECT_THAT(slow.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(proxy->connections(), 0U);
}

TEST_F(ProxyTest, AnAccountHasABoundOnItsConnections) {
  std::vector<Pair> open;
  for (std::size_t i = 0; i < kConnectionsEach; ++i) open.push_back(connected());
  EXPECT_THAT(ask_outside("out.example").read_all(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(log(), EndsWith(" - - 0 0 0.000 too-many\n"));
  open.pop_back();
  wait_for([&] { return proxy->connections() < kConnectionsEach; }, "one to end");
  connected();
}

TEST_F(ProxyTest, EachSideMayGoOnAfterTheOtherSaidAll) {
  Pair up = connected();
  up.server.say_all();
  EXPECT_EQ(up.app.read_all(), "");
  up.app.send("more");
  EXPECT_EQ(up.server.read(4), "more");
  Pair down = connected();
  down.app.send("question");
  down.app.say_all();
  EXPECT_EQ(down.server.read_all(), "question");
  down.server.send("answer");
  down.server.say_all();
  EXPECT_EQ(down.app.read_all(), "answer");
}

TEST_F(ProxyTest, AnAppThatVanishesEndsItsConnection) {
  Pair pair = connected();
  pair.app.close();
  EXPECT_EQ(pair.server.read_all(), "");
  pair.server.close();
  wait_for([&] { return proxy->connections() == 0; }, "nothing to be open");
}

TEST_F(ProxyTest, ASideThatDoesNotReadHoldsTheOtherBack) {
  Pair pair = connected();
  const std::size_t sent = pair.app.send_until_full();
  EXPECT_GT(sent, 64U << 10);
  EXPECT_LT(sent, 32U << 20);  // what two sockets of the kernel hold, and nothing of ours
  EXPECT_EQ(pair.server.read(sent).size(), sent);
  EXPECT_GT(pair.app.send_until_full(), 0U);
}

TEST_F(ProxyTest, AConnectionOnWhichNothingMovesIsClosed) {
  Pair pair = connected();
  advance(kIdle - std::chrono::seconds(1));
  pair.server.send("x");
  EXPECT_EQ(pair.app.read(1), "x");
  advance(kIdle - std::chrono::seconds(1));
  EXPECT_EQ(proxy->connections(), 1U);
  advance(std::chrono::seconds(1));
  EXPECT_EQ(pair.app.read_all(), "");
  EXPECT_THAT(log(), EndsWith(" idle\n"));
}

TEST_F(ProxyTest, NamesThatNobodyAnswersForAreGivenUpAndTakeNoMorePlacesThanAllowed) {
  allow({target("out.example"), "silent.example:443"});
  std::vector<App> waiting;
  for (std::size_t i = 0; i < kLookupsEach + 2; ++i) waiting.push_back(ask("silent.example:443"));
  wait_for([&] { return proxy->connections() == kLookupsEach + 2; }, "all to be served");
  EXPECT_EQ(resolver.waiting, kLookupsEach);
  advance(kLookupDeadline);
  for (App& app : waiting) EXPECT_THAT(app.read_all(), StartsWith("HTTP/1.1 504 "));
  EXPECT_THAT(log(), EndsWith(" unresolved\n"));
  connected();
}

TEST_F(ProxyTest, AHostThatIsNotThereIsToldFromOneThatIsNotAllowed) {
  allow({"gone.example:443", "closed.example:1"});
  EXPECT_THAT(ask("gone.example:443").read_all(), HasSubstr("there is no host gone.example"));
  resolver.set("closed.example", {{make_address("127.0.0.1")}});
  const std::string answer = ask("closed.example:1").read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(log(), HasSubstr("closed.example:1 127.0.0.1 0 0 "));
  EXPECT_THAT(log(), EndsWith(" unreachable\n"));
}

TEST_F(ProxyTest, StoppingCutsWhatIsOpenAndKeepsItsCounts) {
  Pair pair = connected();
  pair.app.send("12345");
  EXPECT_EQ(pair.server.read(5), "12345");
  stop();
  EXPECT_EQ(pair.app.read_all(), "");
  EXPECT_THAT(base::os::read_file(paths.egress_log(base::AccountId("acme"), 0), 4096).value(),
              EndsWith(" 5 0 0.000 stopped\n"));
  start();
  connected();
  EXPECT_THAT(usage(), HasSubstr(R"("bytes_up":5,"bytes_down":0,"connections":2)"));
}

TEST_F(ProxyTest, OfAnAccountThatIsGoneNeitherLogNorUsageIsLeft) {
  Pair pair = connected();
  pair.app.send("12345");
  EXPECT_EQ(pair.server.read(5), "12345");
  const std::string file = paths.egress_log(base::AccountId("acme"), 0);
  const std::string other = paths.egress_log(base::AccountId("acme"), 10);
  for (const std::string& there : {file + ".1", other, paths.egress() + "/acme.log"})
    ASSERT_TRUE(base::os::replace_file(there, "x\n", 0600, base::os::Durability::Cached));
  (void)ask("other.example:1").read_all();
  EXPECT_THAT(log(), HasSubstr("not-declared"));
  EXPECT_THAT(usage(), HasSubstr("acme"));
  publish({.lists = {}, .accounts = {}, .gone = {{0, 9}}});
  EXPECT_EQ(pair.app.read_all(), "");  // cut, and its line is not written any more
  wait_for([&] { return proxy->connections() == 0; }, "nothing to be open");
  EXPECT_EQ(log(), "");
  EXPECT_FALSE(base::os::exists(file));
  EXPECT_FALSE(base::os::exists(file + ".1"));
  EXPECT_EQ(usage(), R"({"version":2,"accounts":[]})");
  EXPECT_TRUE(base::os::exists(other));
  EXPECT_TRUE(base::os::exists(paths.egress() + "/acme.log"));  // not one of this role's
}

TEST_F(ProxyTest, WhatIsKeptOfASuspendedAccountStays) {
  connected();
  EXPECT_THAT(usage(), HasSubstr("acme"));
  publish({.lists = {}, .accounts = {}, .gone = {}});
  world.settle();
  EXPECT_THAT(log(), Not(::testing::IsEmpty()));
  EXPECT_THAT(usage(), HasSubstr(R"("account":"acme","ordinal":0,)"));
}

TEST_F(ProxyTest, WhatWentWhileTheRoleWasAwayIsNoticedAtItsStart) {
  stop();
  const std::string file = paths.egress_log(base::AccountId("acme"), 3);
  ASSERT_TRUE(base::os::replace_file(file, "old\n", 0600, base::os::Durability::Cached));
  ASSERT_TRUE(base::os::replace_file(
      paths.egress_usage(),
      R"({"version":2,"accounts":[{"account":"acme","ordinal":3,"bytes_up":99,"bytes_down":0,)"
      R"("connections":1,"refused":0}]})",
      0600, base::os::Durability::Cached));
  publish({.lists = {{target("out.example")}},
           .accounts = {{base::AccountId("acme"), 0, 0}},
           .gone = {{1, 5}}});
  start();
  connected();
  EXPECT_THAT(usage(), Not(HasSubstr("99")));
  EXPECT_THAT(usage(), HasSubstr(R"("ordinal":0,)"));
  EXPECT_FALSE(base::os::exists(file));
}

TEST_F(ProxyTest, DamagedUsageIsPutAsideAndCountingGoesOn) {
  stop();
  ASSERT_TRUE(base::os::replace_file(paths.egress_usage(), R"({"accounts":{"acme":7}})", 0600,
                                     base::os::Durability::Cached));
  start();
  connected();
  EXPECT_THAT(usage(), HasSubstr(R"("connections":1)"));
  EXPECT_TRUE(base::os::exists(paths.egress_usage() + ".damaged"));
}

TEST_F(ProxyTest, TheLogOfAnAccountIsBoundedAndNothingInItCanBeForged) {
  App forging = app();
  forging.send("CONNECT a\\b\"" + std::string(1000, 'x') + ":1 HTTP/1.1\r\n\r\n");
  EXPECT_THAT(forging.read_all(), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(log(), HasSubstr(" a\\x5cb\"xxx"));
  EXPECT_LT(log().size(), 400U);
  const std::string file = paths.egress_log(base::AccountId("acme"), 0);
  ASSERT_TRUE(base::os::replace_file(file, std::string(kLogFile, '\n'), 0600,
                                     base::os::Durability::Cached));
  (void)ask("other.example:1").read_all();
  EXPECT_EQ(log(), "");  // rotated away
  EXPECT_TRUE(base::os::exists(file + ".1"));
}

}  // namespace
}  // namespace granary::egress

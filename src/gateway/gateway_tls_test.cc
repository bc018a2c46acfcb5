#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "gateway/testing/gateway_world.h"
#include "gateway/testing/test_certificate.h"

namespace granary::gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Answer;
using testing::FakeSilo;
using testing::GatewayWorld;
using testing::make_certificate;
using testing::TestClient;
using testing::TlsClient;
using testing::TlsClientOptions;
using testing::write_certificate;
using Names = std::vector<std::string>;

// A gateway that ends TLS, with a certificate for all tenants below localhost.
class GatewayTlsTest : public ::testing::Test {
 protected:
  GatewayTlsTest() {
    EXPECT_TRUE(base::os::make_folders(folder_, 0700).has_value());
    world_.options.tls = TlsOptions{.listen = {.port = 0}, .certificates = folder_};
    world_.options.admin = Endpoint{.port = 0};
    put("tenants", {"localhost", "*.localhost"});
  }

  void put(const std::string& name, Names names) {
    write_certificate(folder_, name, make_certificate({.names = std::move(names)}));
  }
  void start() {
    world_.start();
    world_.wake_silo();
  }
  // A handshake that is to succeed.
  struct Connected {
    std::unique_ptr<TestClient> raw;
    std::unique_ptr<TlsClient> tls;
    TlsClient* operator->() const { return tls.get(); }
  };
  Connected open(TlsClientOptions options = {.server_name = "acme.localhost"}) {
    Connected made{world_.connect_tls(), nullptr};
    made.tls = std::make_unique<TlsClient>(world_, *made.raw, options);
    EXPECT_TRUE(made.tls->handshake()) << made.tls->alert();
    return made;
  }
  // The alert of one that is to be refused.
  std::string refused(const TlsClientOptions& options) {
    const auto raw = world_.connect_tls();
    TlsClient tls(world_, *raw, options);
    EXPECT_FALSE(tls.handshake());
    return tls.alert();
  }
  Names shown_to(const std::string& server_name) {
    return open({.server_name = server_name})->peer_names();
  }
  // After the watcher had its time.
  void reloaded() {
    world_.settle();
    world_.advance(seconds(31));
  }
  std::string metrics() {
    TestClient client(world_, world_.gateway->admin_listening()->port);
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.answer().body;
  }
  std::string https(const std::string& host) const {
    return fmt::format("https://{}:{}", host, world_.gateway->tls_listening()->port);
  }

  GatewayWorld world_;
  const std::string folder_ = world_.folder.path() + "/certificates";
};

TEST_F(GatewayTlsTest, ARequestReachesItsSiloAndTheSiloIsToldHttps) {
  start();
  const auto client = open();
  EXPECT_EQ(client->version(), "TLSv1.3");
  EXPECT_EQ(client->protocol(), "http/1.1");
  for (int i = 0; i < 3; ++i) {
    const Answer answer = client->get("/api/scans");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.field("Strict-Transport-Security"), "max-age=31536000");
  }
  ASSERT_EQ(world_.silo->requests().size(), 3U);
  EXPECT_NE(world_.silo->requests()[0].find("\r\nX-Forwarded-Proto: https\r\n"), std::string::npos);
}

TEST_F(GatewayTlsTest, LongBodiesStreamBothWays) {
  start();
  std::string big(3'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); i += 7) big[i] = static_cast<char>('a' + i % 26);
  world_.silo->script([](const std::string& request) {
    return FakeSilo::Reply{FakeSilo::ok(request.substr(request.find("\r\n\r\n") + 4))};
  });
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto client = open({.server_name = "acme.localhost", .version = version});
    client->send(fmt::format(
        "POST /api/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: {}\r\n\r\n", big.size()));
    client->send(big);
    const Answer answer = client->answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body == big);
    EXPECT_EQ(client->get("/api/").status, 200);
  }
}

TEST_F(GatewayTlsTest, ManySmallPiecesOfAnAnswerAreOneRecord) {
  start();
  const auto client = open();
  client->get("/api/");  // session tickets came with it
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for(
      [&] {
        client.raw->poll();
        return !client.raw->inbox().empty();
      },
      "an answer");
  const std::string& bytes = client.raw->inbox();
  ASSERT_GT(bytes.size(), 5U);
  const auto record = static_cast<std::size_t>(static_cast<unsigned char>(bytes[3]) << 8 |
                                               static_cast<unsigned char>(bytes[4]));
  EXPECT_EQ(bytes.size(), record + 5);  // head, end of head and body
}

TEST_F(GatewayTlsTest, TheCertificateIsChosenByTheNameThatIsAskedFor) {
  put("exact", {"acme.localhost"});
  put("custom", {"Scans.Acme.Example", "acme.example"});
  put("default", {"fallback.example"});
  start();
  EXPECT_EQ(shown_to("acme.localhost"), Names{"acme.localhost"});
  EXPECT_EQ(shown_to("globex.localhost"), (Names{"localhost", "*.localhost"}));
  EXPECT_EQ(shown_to("localhost"), (Names{"localhost", "*.localhost"}));
  EXPECT_EQ(shown_to("SCANS.acme.example"), (Names{"Scans.Acme.Example", "acme.example"}));
  // A wildcard is one label: not none, and not two.
  EXPECT_EQ(shown_to("a.b.localhost"), Names{"fallback.example"});
  EXPECT_EQ(shown_to("nobody.example"), Names{"fallback.example"});
  EXPECT_EQ(shown_to(""), Names{"fallback.example"});
}

TEST_F(GatewayTlsTest, AnUnknownNameIsRefusedWhereThereIsNoDefault) {
  start();
  EXPECT_EQ(refused({.server_name = "nobody.example"}), "unrecognized name");
  EXPECT_EQ(refused({.server_name = ""}), "unrecognized name");
  EXPECT_NE(metrics().find("handshake_failures_total{reason=\"unknown_name\"} 2"),
            std::string::npos);
}

TEST_F(GatewayTlsTest, WithoutAnyCertificateHandshakesAreRefusedAndPlainRequestsAreRedirected) {
  for (const char* file : {"/tenants.crt", "/tenants.key"})
    ASSERT_TRUE(base::os::remove_file(folder_ + file).has_value());
  start();
  EXPECT_EQ(refused({.server_name = "acme.localhost"}), "unrecognized name");
  EXPECT_EQ(world_.connect()->get("/").status, 308);
}

TEST_F(GatewayTlsTest, TheWholeChainIsShown) {
  write_certificate(folder_, "chained",
                    make_certificate({.names = {"chained.example"}, .through_intermediate = true}));
  start();
  const auto client = open({.server_name = "chained.example"});
  EXPECT_EQ(client->peer_chain(), 2U);
}

TEST_F(GatewayTlsTest, VersionsBefore12AreRefused) {
  start();
  EXPECT_EQ(refused({.server_name = "acme.localhost", .version = TLS1_1_VERSION}),
            "protocol version");
  EXPECT_EQ(refused({.server_name = "acme.localhost", .version = TLS1_VERSION}),
            "protocol version");
  const auto client = open({.server_name = "acme.localhost", .version = TLS1_2_VERSION});
  EXPECT_EQ(client->get("/api/").status, 200);
  EXPECT_NE(metrics().find("handshake_failures_total{reason=\"version\"} 2"), std::string::npos);
}

TEST_F(GatewayTlsTest, OnlyHttp11IsSpoken) {
  start();
  const auto client = open({.server_name = "acme.localhost", .protocols = {"h2", "http/1.1"}});
  EXPECT_EQ(client->protocol(), "http/1.1");
  EXPECT_EQ(refused({.server_name = "acme.localhost", .protocols = {"h2"}}),
            "no application protocol");
  EXPECT_EQ(open({.server_name = "acme.localhost", .protocols = {}})->get("/api/").status, 200);
}

TEST_F(GatewayTlsTest, AHostThatTheCertificateWasNotIssuedForIsMisdirected) {
  put("exact", {"acme.localhost"});
  put("default", {"fallback.example"});
  start();
  const auto exact = open();
  EXPECT_EQ(exact->get("/api/", "globex.localhost").status, 421);
  EXPECT_EQ(exact->get("/api/", "acme.localhost").status, 200);  // the connection goes on
  EXPECT_EQ(exact->get("/api/", "globex.localhost").status, 421);
  const auto wildcard = open({.server_name = "globex.localhost"});
  EXPECT_EQ(wildcard->get("/api/", "acme.localhost:443").status, 200);
  EXPECT_EQ(wildcard->get("/api/", "a.b.localhost").status, 421);
  EXPECT_EQ(open({.server_name = ""})->get("/api/", "acme.localhost").status, 421);
  EXPECT_TRUE(world_.other_silo->requests().empty());
}

TEST_F(GatewayTlsTest, PlainRequestsAreSentToHttpsWithTheirTarget) {
  start();
  const auto client = world_.connect();
  const Answer answer = client->get("/api/scans?limit=5&x=%20", "Acme.localhost:8080");
  EXPECT_EQ(answer.status, 308);
  EXPECT_EQ(answer.field("Location"), https("acme.localhost") + "/api/scans?limit=5&x=%20");
  EXPECT_EQ(answer.field("Strict-Transport-Security"), "");  // says nothing over plain HTTP
  EXPECT_EQ(answer.field("X-Request-Id").size(), 32U);
  // Nobody learns who is there: any host is sent on, also one that there is not.
  EXPECT_EQ(client->get("/", "nobody.localhost").status, 308);
  EXPECT_TRUE(world_.silo->requests().empty());
}

TEST_F(GatewayTlsTest, WithoutTheRedirectPlainRequestsAreServedAndBrowsersMayMakeThem) {
  world_.options.tls->redirect = Redirect::Off;
  start();
  EXPECT_EQ(world_.connect()->get("/api/").status, 200);
  EXPECT_NE(world_.silo->requests().at(0).find("X-Forwarded-Proto: http\r\n"), std::string::npos);
  EXPECT_EQ(open()->get("/api/").field("Strict-Transport-Security"), "");
}

TEST_F(GatewayTlsTest, ThePlatformsOwnCheckFromThisMachineIsServedAsIfByHttps) {
  start();
  EXPECT_EQ(
      world_.connect()->get("/api/", "acme.localhost", "User-Agent: granary-check\r\n").status,
      200);
  EXPECT_NE(world_.silo->requests().at(0).find("X-Forwarded-Proto: https\r\n"), std::string::npos);
}

TEST_F(GatewayTlsTest, ChallengesOfCertificateAuthoritiesAreAnsweredInPlain) {
  start();
  const std::string deep = folder_ + "/.well-known/acme-challenge";
  for (const std::string& path : {deep, folder_ + "/acme-challenge"})
    ASSERT_TRUE(base::os::make_folders(path, 0700).has_value());
  const auto write = [](const std::string& path, std::string_view text) {
    ASSERT_TRUE(base::os::replace_file(path, text, 0600, base::os::Durability::Cached).has_value());
  };
  write(deep + "/to-ken_1", "to-ken_1.thumb");
  write(folder_ + "/acme-challenge/other", "other.thumb");
  const auto client = world_.connect();
  EXPECT_EQ(client->get("/.well-known/acme-challenge/to-ken_1").body, "to-ken_1.thumb");
  EXPECT_EQ(client->get("/.well-known/acme-challenge/other").body, "other.thumb");
  // Nothing else of the folder is to be had, the keys least of all.
  for (const char* bad : {"none", "../tenants.key", "..%2ftenants.key", "", "a/b", ".", ".."})
    EXPECT_EQ(client->get(std::string("/.well-known/acme-challenge/") + bad).status, 404) << bad;
  EXPECT_EQ(world_.connect()->get("/.well-known/acme-challengeX/to-ken_1").status, 308);
}

TEST_F(GatewayTlsTest, NewCertificatesServeNewConnectionsWhileOldOnesGoOn) {
  start();
  const auto old = open();
  EXPECT_EQ(old->get("/api/").status, 200);
  put("tenants", {"localhost", "*.localhost", "new.example"});
  reloaded();
  EXPECT_EQ(shown_to("acme.localhost"), (Names{"localhost", "*.localhost", "new.example"}));
  EXPECT_EQ(old->get("/api/").status, 200);
  // It still speaks for what it began under: not for the new name.
  EXPECT_EQ(old->get("/api/", "new.example").status, 421);
  put("more", {"more.example"});
  reloaded();
  EXPECT_EQ(shown_to("more.example"), Names{"more.example"});
  // Removed: unknown again.
  for (const char* file : {"/more.crt", "/more.key"})
    ASSERT_TRUE(base::os::remove_file(folder_ + file).has_value());
  reloaded();
  EXPECT_EQ(refused({.server_name = "more.example"}), "unrecognized name");
  EXPECT_EQ(old->get("/api/").status, 200);
}

TEST_F(GatewayTlsTest, ABadPairLeavesTheOneBeforeInForce) {
  start();
  auto broken = make_certificate({.names = {"*.localhost"}});
  broken.key = make_certificate({.names = {"*.localhost"}}).key;
  write_certificate(folder_, "tenants", broken);
  reloaded();
  EXPECT_EQ(shown_to("acme.localhost"), (Names{"localhost", "*.localhost"}));
  EXPECT_NE(metrics().find("granary_gateway_certificates_bad 1"), std::string::npos);
  put("tenants", {"*.localhost"});
  reloaded();
  EXPECT_EQ(shown_to("acme.localhost"), Names{"*.localhost"});
  EXPECT_NE(metrics().find("granary_gateway_certificates_bad 0"), std::string::npos);
}

TEST_F(GatewayTlsTest, AnOpenIsRefusedWithoutTheFolder) {
  world_.options.tls->certificates += "/none";
  Gateway gateway(world_.world.context, world_.options,
                  Gateway::Parts{world_.world.clock, world_.world.timer, world_.world.rng,
                                 world_.world.worker});
  base::os::InheritedFds none;
  const auto opened = gateway.open(none);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, base::Code::InvalidArgument);
  EXPECT_NE(opened.error().message.find("certificates"), std::string::npos);
}

TEST_F(GatewayTlsTest, ASlowHandshakeIsCut) {
  start();
  const auto silent = world_.connect_tls();
  const auto slow = world_.connect_tls();
  // The beginning of a hello, then a byte now and then: the time counts from the beginning.
  slow->send(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  for (int i = 0; i < 9; ++i) {
    world_.advance(seconds(1));
    slow->send("x");
    world_.settle();
  }
  EXPECT_FALSE(slow->over());
  world_.advance(seconds(2));
  EXPECT_TRUE(silent->ended());
  EXPECT_TRUE(slow->ended());
  EXPECT_NE(metrics().find("handshake_failures_total{reason=\"deadline\"} 2"), std::string::npos);
}

TEST_F(GatewayTlsTest, PlainHttpOnTheTlsPortIsToldSo) {
  start();
  const auto client = world_.connect_tls();
  const Answer answer = client->get("/api/");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.field("X-Request-Id").size(), 32U);
  EXPECT_TRUE(client->ended());
  const auto garbage = world_.connect_tls();
  garbage->send("\x01\x02\x03 nonsense nonsense");
  world_.wait_for(
      [&] {
        garbage->poll();
        return garbage->over();
      },
      "the end");
  EXPECT_EQ(garbage->inbox().find("HTTP"), std::string::npos);
  EXPECT_TRUE(world_.silo->requests().empty());
  EXPECT_NE(metrics().find("handshake_failures_total{reason=\"plain_http\"} 1"), std::string::npos);
}

TEST_F(GatewayTlsTest, AClientComesBackByATicketUntilItsKeyIsTooOld) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClientOptions options{.server_name = "acme.localhost", .version = version};
    const auto first = open(options);
    EXPECT_FALSE(first->resumed());
    EXPECT_EQ(first->get("/api/").status, 200);
    const auto session = first->session();
    options.resume = session.get();
    const auto again = open(options);
    EXPECT_TRUE(again->resumed()) << version;
    EXPECT_EQ(again->get("/api/").status, 200);
    if (version == TLS1_3_VERSION) {
      // It used its ticket up, and was given another one.
      const auto next = again->session();
      EXPECT_NE(SSL_SESSION_has_ticket(next.get()), 0);
      EXPECT_NE(testing::ticket_of(*next), testing::ticket_of(*session));
    }
    // Coming back does not lend it another certificate.
    EXPECT_EQ(again->get("/api/", "nobody.example").status, 421);
    put("tenants", {"localhost", "*.localhost"});
    reloaded();
    EXPECT_TRUE(open(options)->resumed()) << version;
    if (version == TLS1_2_VERSION) continue;
    world_.advance(hours(12));
    EXPECT_TRUE(open(options)->resumed());
    world_.advance(hours(12));
    EXPECT_FALSE(open(options)->resumed());
  }
}

TEST_F(GatewayTlsTest, NewKeysMayBeAskedForButNoNewHandshake) {
  start();
  const auto client = open();
  client->update_keys();
  EXPECT_EQ(client->get("/api/").status, 200);
  const auto old = open({.server_name = "acme.localhost", .version = TLS1_2_VERSION});
  EXPECT_EQ(old->get("/api/").status, 200);
  EXPECT_FALSE(old->renegotiate());
  EXPECT_EQ(world_.silo->requests().size(), 2U);
}

TEST_F(GatewayTlsTest, AWholeAnswerEndsWithANoticeAndACutOneWithout) {
  start();
  auto client = open();
  EXPECT_EQ(client->get("/api/", "acme.localhost", "Connection: close\r\n").status, 200);
  EXPECT_TRUE(client->said_end());
  // The silo's answer ends before its length.
  world_.silo->script([](const std::string&) {
    return FakeSilo::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                           FakeSilo::Reply::Then::Close};
  });
  client = open();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  const Answer cut = client->answer();
  EXPECT_EQ(cut.body, "half");
  EXPECT_FALSE(cut.whole);
  EXPECT_FALSE(client->said_end());
}

TEST_F(GatewayTlsTest, AClientThatGoesWhileTheSiloThinksIsNoticed) {
  start();
  world_.silo->hold();
  const auto client = open();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return world_.slot().in_flight == 1; }, "the request");
  client->say_end();
  client.raw->vanish();
  world_.settle();
  world_.advance(seconds(12));
  EXPECT_EQ(world_.slot().in_flight, 0U);
  world_.silo->release();
}

TEST_F(GatewayTlsTest, AnUpgradedConnectionMovesBytesBothWays) {
  start();
  world_.silo->script([](const std::string&) {
    return FakeSilo::Reply{
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
        FakeSilo::Reply::Then::Echo};
  });
  const auto client = open();
  client->send(
      "GET /api/ws HTTP/1.1\r\nHost: acme.localhost\r\nConnection: Upgrade\r\nUpgrade: "
      "echo\r\n\r\n");
  EXPECT_EQ(client->answer().status, 101);
  for (int i = 0; i < 3; ++i) {
    client->send("ping");
    EXPECT_EQ(client->read(4), "ping");
  }
  const std::string big(200'000, 'z');
  client->send(big);
  EXPECT_TRUE(client->read(big.size()) == big);
}

TEST_F(GatewayTlsTest, AClientThatReadsNothingIsCutInTheEnd) {
  start();
  const std::string big(8'000'000, 'x');
  world_.silo->script([&](const std::string&) { return FakeSilo::Reply{FakeSilo::ok(big)}; });
  const auto client = open();
  client->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.wait_for([&] { return !world_.silo->requests().empty(); }, "the request");
  world_.settle();
  EXPECT_EQ(world_.slot().in_flight, 1U);
  world_.advance(seconds(31));
  EXPECT_EQ(world_.slot().in_flight, 0U);
}

TEST_F(GatewayTlsTest, TheSharesOfTenantsHoldWithinTlsToo) {
  world_.options.limits.tenant_connections = 2;
  start();
  world_.silo->hold();
  std::vector<Connected> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(open());
    clients.back()->send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
    world_.settle();
  }
  EXPECT_EQ(clients[2]->answer().status, 429);
  world_.silo->release();
  EXPECT_EQ(clients[0]->answer().status, 200);
}

TEST_F(GatewayTlsTest, AStopEndsConnectionsInWhateverState) {
  start();
  const auto idle = open();
  const auto shaking = world_.connect_tls();
  world_.settle();
  world_.stop();
  EXPECT_TRUE(idle->said_end());
  EXPECT_TRUE(shaking->ended());
}

}  // namespace
}  // namespace granary::gateway

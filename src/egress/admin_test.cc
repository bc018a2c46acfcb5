#include "egress/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/os/tcp_listener.h"
#include "egress/limits.h"
#include "egress/testing/egress_world.h"

namespace granary::egress {
namespace {

using testing::EgressWorld;
using ::testing::HasSubstr;
using testing::kConnected;
using testing::Server;
using ::testing::StartsWith;

class AdminTest : public ::testing::Test, protected EgressWorld {
 protected:
  void SetUp() override {
    allow({target("out.example"), "gone.example:443"});
    start();
    admin_ = std::make_unique<Admin>(*proxy, world.timer, world.executor());
    auto listener = base::os::listen_tcp("127.0.0.1", 0, kAdminBacklog);
    ASSERT_TRUE(listener.has_value());
    ASSERT_TRUE(admin_->start(std::move(*listener)).has_value());
  }
  void TearDown() override { world.run(admin_->close()); }

  Server client() {
    RemoteSocket socket(world.context);
    socket.connect({base::asio::ip::address_v4::loopback(), *admin_->port()});
    return {*this, std::move(socket)};
  }
  std::string get(const std::string& path) {
    Server asking = client();
    asking.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return asking.read_all();
  }

  std::unique_ptr<Admin> admin_;
};

TEST_F(AdminTest, MetricsSayWhatWentThroughAndWhatWasRefused) {
  testing::App app = ask_outside("out.example");
  Server server = accept();
  EXPECT_EQ(app.read(kConnected.size()), kConnected);
  app.send("12345");
  EXPECT_EQ(server.read(5), "12345");
  server.send("123");
  EXPECT_EQ(app.read(3), "123");
  (void)ask("other.example:443").read_all();
  (void)ask("gone.example:443").read_all();
  const std::string text = get("/metrics");
  for (const char* line :
       {"connections 1", "connections_total 3", "connections_refused_total 0", "strangers_total 0",
        "bytes_up_total 5", "bytes_down_total 3", "lookups_total 2", "lookups_failed_total 1",
        "log_lines_dropped_total 0", "accounts 1", "ended_total{outcome=\"not-declared\"} 1",
        "ended_total{outcome=\"unresolved\"} 1", "ended_total{outcome=\"closed\"} 0"})
    EXPECT_THAT(text, HasSubstr(std::string("\ngranary_egress_") + line + "\n"));
  EXPECT_THAT(text, HasSubstr("\n# TYPE granary_egress_ended_total counter\n"));
}

TEST_F(AdminTest, StrangersAreCountedApart) {
  publish({.lists = {}, .accounts = {}, .gone = {}});
  world.settle();  // so that it is not acme that is found
  (void)ask_outside("out.example").read_all();
  const std::string text = get("/metrics");
  EXPECT_THAT(text, HasSubstr("\ngranary_egress_strangers_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\ngranary_egress_accounts 0\n"));
}

TEST_F(AdminTest, ItIsReadyWithAPolicyAndWellWithout) {
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  const Reading nothing;
  EXPECT_EQ(answer_admin(nothing, "GET /healthz HTTP/1.1\r\n\r\n").status, 200);
  EXPECT_EQ(answer_admin(nothing, "GET /readyz HTTP/1.1\r\n\r\n").status, 503);
  Reading stopping{.has_policy = true, .stopping = true};
  EXPECT_EQ(answer_admin(stopping, "GET /readyz HTTP/1.1\r\n\r\n").status, 503);
}

TEST_F(AdminTest, WhatIsNoRequestForThisIsToldSo) {
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 "));
  const Reading reading{.has_policy = true};
  for (const auto& [head, status] : std::map<std::string_view, int>{{"", 400},
                                                                    {"\r\n\r\n", 400},
                                                                    {"GET\r\n\r\n", 400},
                                                                    {"GET /metrics\r\n\r\n", 400},
                                                                    {"GET  HTTP/1.1\r\n\r\n", 404},
                                                                    {"PUT /metrics HTTP/1.1", 405},
                                                                    {"GET /a b HTTP/1.1", 404}})
    EXPECT_EQ(answer_admin(reading, head).status, status) << head;
}

TEST_F(AdminTest, WhoSendsNoHeadIsCutAfterAWhileAndThereAreNeverMany) {
  std::vector<Server> silent;
  for (std::size_t i = 0; i < kAdminConnections; ++i) silent.push_back(client());
  world.settle();
  EXPECT_EQ(get("/healthz"), "");  // one too many
  advance(kAdminDeadline);
  for (Server& one : silent) EXPECT_EQ(one.read_all(), "");
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
  Server endless = client();
  endless.send("GET /" + std::string(kAdminHead, 'x'));
  EXPECT_EQ(endless.read_all(), "");
}

}  // namespace
}  // namespace granary::egress

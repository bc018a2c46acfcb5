#include "egress/testing/egress_world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/os/child.h"
#include "base/os/unix_listener.h"
#include "base/os/unix_socket.h"

namespace granary::egress::testing {

namespace asio = base::asio;
using base::Code;
using base::Result;
using base::Task;

Task<Result<Addresses>> FakeResolver::resolve(std::string host) {
  ++asked;
  if (host == "silent.example") {
    ++waiting;
    (void)co_await never_.wait();
    co_return base::fail(Code::Cancelled, "nobody answered");
  }
  const auto known = answers_.find(host);
  if (known == answers_.end()) co_return base::fail(Code::NotFound, "there is no host {}", host);
  Addresses answer = known->second.front();
  if (known->second.size() > 1) known->second.erase(known->second.begin());
  co_return answer;
}

EgressWorld::EgressWorld()
    : uid_base(base::os::own_uid()),
      outside_(world.context, {asio::ip::make_address("127.0.0.1"), 0}) {
  outside_.non_blocking(true);
  for (const std::string& path : {paths.publish(), paths.egress(), paths.egress_run()})
    EXPECT_TRUE(base::os::make_folders(path, 0755).has_value());
  resolver.set("out.example", {{asio::ip::make_address("127.0.0.1")}});
}

EgressWorld::~EgressWorld() { stop(); }

void EgressWorld::publish(const wire::EgressPolicy& policy) const {
  EXPECT_TRUE(base::os::replace_file(paths.egress_policy(), wire::encode(policy), 0644,
                                     base::os::Durability::Cached)
                  .has_value());
}

void EgressWorld::allow(std::vector<std::string> targets) const {
  publish(
      {.lists = {std::move(targets)}, .accounts = {{base::AccountId("acme"), 0, 0}}, .gone = {}});
}

void EgressWorld::start() {
  auto listener = base::os::listen_unix(
      paths.egress_socket(),
      {.mode = 0666, .owner = {base::os::own_uid(), base::os::own_gid()}, .backlog = 1024});
  ASSERT_TRUE(listener.has_value()) << base::describe(listener.error());
  proxy = std::make_unique<Proxy>(
      ProxyOptions{
          .paths = paths, .uid_base = uid_base, .allowed = permitted, .control_uid = control_uid},
      ProxyParts{.executor = world.executor(),
                 .clock = world.clock,
                 .timer = world.timer,
                 .worker = world.worker,
                 .resolver = resolver,
                 .own_address = [this](const Address& address) {
                   return std::ranges::find(own, address) != own.end();
                 }});
  const auto started = world.run(proxy->start(std::move(*listener)));
  ASSERT_TRUE(started.has_value()) << base::describe(started.error());
}

void EgressWorld::stop() {
  if (!proxy) return;
  world.run(proxy->close());
  proxy.reset();
}

App EgressWorld::app() {
  auto connected = base::os::connect_unix(paths.egress_socket());
  EXPECT_TRUE(connected.has_value() && connected->outcome == base::os::Connecting::Done);
  return {*this,
          ClientSocket(world.context, asio::local::stream_protocol(), connected->fd.release())};
}

std::string connect_to(const std::string& target) {
  return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n";
}

App EgressWorld::ask(const std::string& target) {
  App app = this->app();
  app.send(connect_to(target));
  return app;
}

std::string EgressWorld::target(const std::string& host) const {
  return fmt::format("{}:{}", host, outside_.local_endpoint().port());
}

Server EgressWorld::accept() {
  RemoteSocket socket(world.context);
  wait_for(
      [&] {
        base::ErrorCode error;
        outside_.accept(socket, error);
        return !error;
      },
      "a connection outside");
  return {*this, std::move(socket)};
}

bool EgressWorld::nobody_came() {
  world.settle();
  RemoteSocket socket(world.context);
  base::ErrorCode error;
  outside_.accept(socket, error);
  return error == asio::error::would_block;
}

std::string EgressWorld::log() {
  advance(std::chrono::seconds(1));
  return base::os::read_file(paths.egress_log(base::AccountId("acme"), 0), 16U << 20).value_or("");
}

std::string EgressWorld::usage() {
  advance(std::chrono::seconds(5));
  return base::os::read_file(paths.egress_usage(), 1U << 20).value_or("");
}

void EgressWorld::wait_for(const std::function<bool()>& condition, std::string_view what) {
  for (int round = 0; round < 10'000; ++round) {
    world.settle();
    if (condition()) return;
    world.context.restart();
    world.context.run_one_for(std::chrono::milliseconds(1));
  }
  ADD_FAILURE() << "waited in vain for " << what;
}

}  // namespace granary::egress::testing

#include "gateway/testing/gateway_world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "gateway/heads.h"

namespace granary::gateway::testing {
namespace {

namespace asio = base::asio;
using std::chrono::milliseconds;

void run_to_end(GatewayWorld& world, base::Task<void> task, std::string_view what) {
  bool done = false;
  asio::co_spawn(world.world.context, std::move(task), [&](const std::exception_ptr& failure) {
    ASSERT(!failure);
    done = true;
  });
  for (int round = 0; round < 400 && !done; ++round) {
    world.settle();
    if (!done) world.advance(milliseconds(50));
  }
  EXPECT_TRUE(done) << what;
}

}  // namespace

std::string Answer::field(std::string_view name) const {
  return std::string(find_field(head, name));
}

TestClient::TestClient(GatewayWorld& world, std::uint16_t port)
    : world_(world), socket_(world.world.context) {
  socket_.connect({asio::ip::make_address("127.0.0.1"), port});
  socket_.non_blocking(true);
}

void TestClient::send(std::string_view bytes) {
  world_.wait_for(
      [&] {
        base::ErrorCode error;
        bytes.remove_prefix(socket_.write_some(asio::buffer(bytes), error));
        return bytes.empty() || (error && error != asio::error::would_block);
      },
      "bytes to be taken");
}

// Whether something came, or the end.
bool TestClient::pull() {
  char bytes[65536];
  base::ErrorCode error;
  const std::size_t got = socket_.read_some(asio::buffer(bytes), error);
  inbox_.append(bytes, got);
  if (error && error != asio::error::would_block) over_ = true;
  return got > 0 || over_;
}

std::string TestClient::read(std::size_t count) {
  world_.wait_for([&] { return (pull() && over_) || inbox_.size() >= count; }, "bytes");
  const std::string bytes = inbox_.substr(0, count);
  inbox_.erase(0, bytes.size());
  return bytes;
}

bool TestClient::ended() {
  world_.wait_for([&] { return pull() && (over_ || !inbox_.empty()); }, "the connection's end");
  return over_ && inbox_.empty();
}

void TestClient::vanish() {
  socket_.set_option(asio::socket_base::linger(true, 0));
  socket_.close();
}

Answer TestClient::answer(Expect expect) {
  Answer answer;
  world_.wait_for(
      [&] {
        pull();
        return over_ || inbox_.find("\r\n\r\n") != std::string::npos;
      },
      "the head of an answer");
  const std::size_t end = inbox_.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.head = inbox_.substr(0, end + 2);
  inbox_.erase(0, end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  settle_body(answer, expect);
  return answer;
}

void TestClient::settle_body(Answer& answer, Expect expect) {
  const bool bodiless = answer.status < 200 || answer.status == 204 || answer.status == 304;
  if (expect == Expect::NoBody || bodiless) {
    answer.whole = true;
    return;
  }
  if (answer.field("Transfer-Encoding") == "chunked") {
    for (std::size_t size = 1; size > 0;) {
      world_.wait_for([&] { return (pull() && over_) || inbox_.find("\r\n") != std::string::npos; },
                      "a chunk");
      if (inbox_.find("\r\n") == std::string::npos) return;
      size = std::stoul(inbox_, nullptr, 16);
      inbox_.erase(0, inbox_.find("\r\n") + 2);
      const std::string chunk = read(size + 2);
      if (chunk.size() < size + 2) return;
      answer.body += chunk.substr(0, size);
    }
    answer.whole = true;
    return;
  }
  const std::string length = answer.field("Content-Length");
  answer.body = read(length.empty() ? 1U << 30 : std::stoul(length));
  answer.whole = length.empty() || answer.body.size() == std::stoul(length);
}

Answer TestClient::get(std::string_view path, std::string_view host, std::string_view fields) {
  send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", path, host, fields));
  return answer();
}

GatewayWorld::GatewayWorld() {
  const wire::Paths& paths = options.paths;
  options.listen.port = 0;
  for (const std::string& path :
       {paths.publish(), paths.access(), paths.run(), paths.silo(base::AccountId("acme")),
        paths.silo(base::AccountId("globex"))})
    ASSERT(base::os::make_folders(path, 0700).has_value());
  ASSERT(wire::ActivityBoard::create(paths.board(), 0600, ::getgid()).has_value());
  board = *wire::ActivityBoard::open(paths.board(), wire::ActivityBoard::Access::ReadWrite);
  silo = std::make_unique<FakeSilo>(world.context, paths.socket({base::AccountId("acme"), "api"}));
  other_silo =
      std::make_unique<FakeSilo>(world.context, paths.socket({base::AccountId("globex"), "api"}));
  agent = std::make_unique<FakeAgent>(world.context, paths.agent_socket());
}

GatewayWorld::~GatewayWorld() {
  stop();
  run_to_end(*this, silo->stop(), "the silo to stop");
  run_to_end(*this, other_silo->stop(), "the other silo to stop");
  run_to_end(*this, agent->stop(), "the agent to stop");
  world.settle();
}

wire::Snapshot GatewayWorld::snapshot() const {
  wire::RoutedRelease release{.hash = std::string(64, 'a'), .name = "insight-aaaaaaaaaaaa"};
  release.frontend = true;
  release.services = {{.name = "api", .routes = {"/api/"}, .in_flight = 3}};
  wire::RoutedTenant acme{.account = base::AccountId("acme"), .public_name = "Acme"};
  acme.ordinal = 1;
  acme.slots = {kSlot};
  wire::RoutedTenant globex{.account = base::AccountId("globex"), .public_name = "Globex"};
  globex.ordinal = 2;
  globex.slots = {kSlot + 1};
  wire::RoutedTenant gone{.account = base::AccountId("gone")};
  gone.state = wire::RouteState::Suspended;
  gone.ordinal = 3;
  gone.slots = {kSlot + 2};
  return {1, "localhost", {release}, {acme, globex, gone}, {}};
}

void GatewayWorld::publish(const wire::Snapshot& snapshot) const {
  ASSERT(base::os::replace_file(options.paths.routing(), wire::encode(snapshot), 0600,
                                base::os::Durability::Cached)
             .has_value());
}

void GatewayWorld::open() {
  gateway = std::make_unique<Gateway>(world.context, options,
                                      Gateway::Parts{clock, world.timer, world.rng, world.worker});
  auto opened = gateway->open(inherited);
  ASSERT(opened.has_value());
  running = true;
  asio::co_spawn(world.context, gateway->run(), [this](const std::exception_ptr& failure) {
    ASSERT(!failure);
    running = false;
  });
  settle();
}

void GatewayWorld::start() {
  publish(snapshot());
  open();
  wait_for([&] { return gateway->generation() > 0; }, "the snapshot");
}

void GatewayWorld::stop() {
  if (!gateway) return;
  run_to_end(*this, gateway->close(), "the gateway to close");
  wait_for([&] { return !running; }, "run() to end");
  gateway.reset();
}

void GatewayWorld::wake_silo(std::uint32_t epoch) const {
  silo->start();
  slot().epoch = epoch;
}

void GatewayWorld::wait_for(const std::function<bool()>& holds, std::string_view what) {
  constexpr int kRounds = 200;  // of 20 ms at most: only a failure waits that long
  for (int round = 0; round < kRounds; ++round) {
    world.settle();
    if (holds()) return;
    world.context.restart();
    world.context.run_one_for(milliseconds(20));
  }
  ADD_FAILURE() << "waited in vain for " << what;
}

void GatewayWorld::start_agent() {
  agent->start();
  advance(std::chrono::seconds(2));
}

void GatewayWorld::advance(std::chrono::nanoseconds by) { world.advance(by); }

std::unique_ptr<TestClient> GatewayWorld::connect() {
  return std::make_unique<TestClient>(*this, gateway->listening().port);
}

std::unique_ptr<TestClient> GatewayWorld::connect_tls() {
  return std::make_unique<TestClient>(*this, gateway->tls_listening()->port);
}

std::string GatewayWorld::access_log(const std::string& account) const {
  const base::AccountId id(account);
  const std::vector<wire::RoutedTenant> tenants = snapshot().tenants;
  const auto tenant = std::ranges::find(tenants, id, &wire::RoutedTenant::account);
  ASSERT(tenant != tenants.end());
  return base::os::read_file(options.paths.access_log(id, tenant->ordinal), 1U << 20).value_or("");
}

}  // namespace granary::gateway::testing

#include "api/testing/api_world.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/hash.h"

namespace granary::api::testing {

namespace http = boost::beast::http;

using base::ErrorCode;
using base::into;
using base::Result;
using base::Task;
using base::asio::ip::tcp;

namespace {

Task<tcp::socket> connect(std::uint16_t port) {
  tcp::socket socket(co_await base::asio::this_coro::executor);
  ErrorCode error;
  co_await socket.async_connect({base::asio::ip::address_v4::loopback(), port}, into(error));
  ASSERT(!error);
  co_return socket;
}

Task<void> exchange_one(std::uint16_t port, std::string bytes, Reply* reply) {
  tcp::socket socket = co_await connect(port);
  ErrorCode error;
  co_await base::asio::async_write(socket, base::asio::buffer(bytes), into(error));
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(64U << 20);
  co_await http::async_read(socket, buffer, parser, into(error));
  if (error) co_return;
  reply->status = parser.get().result_int();
  for (const auto& field : parser.get()) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    reply->headers[name] = std::string(field.value());
  }
  reply->body = parser.get().body();
}

Task<void> exchange_raw(std::uint16_t port, std::string bytes, std::string enough,
                        std::string* received) {
  tcp::socket socket = co_await connect(port);
  ErrorCode error;
  co_await base::asio::async_write(socket, base::asio::buffer(bytes), into(error));
  std::vector<char> piece(64U << 10);
  for (error = {}; !error;) {
    const std::size_t count =
        co_await socket.async_read_some(base::asio::buffer(piece), into(error));
    received->append(piece.data(), count);
    if (!enough.empty() && received->find(enough) != std::string::npos) break;
  }
}

Task<void> run_server(Server* server) {
  const auto outcome = co_await server->run();
  ASSERT(outcome.has_value());
}

}  // namespace

Task<Result<registry::Release>> FakeIntake::take(std::string bundle_path, Wish wish) {
  CO_TRY_ASSIGN(const std::string bytes, base::os::read_file(bundle_path, 1U << 30));
  bytes_ += bytes.size();
  if (bytes.starts_with("bad"))
    co_return base::fail(base::Code::InvalidArgument, "granary.yaml:1:1: unknown key 'bad'");
  registry::Release release;
  release.hash = base::sha256_hex(bytes);
  release.id =
      base::ReleaseId(wish.name.empty() ? "made-" + release.hash.substr(0, 12) : wish.name);
  release.app = "insight";
  release.manifest = "{}";
  release.bytes = bytes.size();
  release.actor = wish.actor;
  release.created = control_.world.clock.wall();
  CO_TRY(co_await control_.store.get().write([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(release, registry::record_release(tx, release, wish.new_app));
    return {};
  }));
  co_return release;
}

Task<Result<registry::Archive>> FakeArchiveIntake::take(std::string path, std::string actor) {
  CO_TRY_ASSIGN(const std::string bytes, base::os::read_file(path, 1U << 30));
  if (bytes.starts_with("bad"))
    co_return base::fail(base::Code::InvalidArgument, "this is not an archive of Granary");
  base::testing::World& world = control_.world;
  const std::string id = base::make_ulid(world.clock.wall(), world.rng);
  CO_TRY(base::os::rename_file(path, fmt::format("{}/{}.tar", folder_, id)));
  lifecycle::ArchiveHead head;
  head.tenant = "old";
  head.release = "insight-1";
  head.release_hash = "aaaa11112222";
  head.created = world.clock.wall();
  head.data.sha256 = base::sha256_hex(bytes);
  control_.archives.put(id, head, bytes);
  const lifecycle::ArchiveFile file{.bytes = bytes.size(), .sha256 = base::sha256_hex(bytes)};
  co_return co_await control_.lifecycle->take_archive(id, file, head, {.actor = actor});
}

Task<Result<std::uint64_t>> FakeArchiveIntake::free_bytes() {
  const std::uint64_t free = free_;
  free_ -= std::min(less_, free_);
  co_return free;
}

Task<base::Error> FakePlatform::agent_away() {
  while (away.empty()) {
    if (const auto slept = co_await timer_.sleep(std::chrono::seconds(1)); !slept)
      co_return slept.error();
  }
  co_return base::Error{base::Code::Unavailable, away, {}, {}};
}

Task<Result<cloud::Page>> FakeFleet::list(std::string after, std::uint32_t limit) {
  if (away_) co_return base::fail(base::Code::Unavailable, "the agent does not answer");
  co_return co_await cloud_.list(after, limit);
}

std::string target_of(const Route& route, const std::string& text) {
  std::string target;
  for (const std::string_view part : parts_of(route.pattern))
    target += fmt::format("/{}", place_in(part) ? text : part);
  return target;
}

std::string text_at(const base::json::object& object, std::string_view name) {
  return base::json::get_string(object, name).value_or("(none)");
}

base::json::object Reply::json() const {
  auto document = base::json::parse_object(body, 64U << 20);
  ASSERT(document.has_value());
  return std::move(*document);
}

std::string Reply::code() const {
  return base::json::get_string(json(), "code").value_or("no code");
}

ApiWorld::ApiWorld(Patience patience, std::uint64_t max_archive_bytes) {
  Options options;
  options.port = 0;
  options.upload_folder = folder.path();
  options.archive_folder = archive_folder.path();
  options.max_archive_bytes = max_archive_bytes;
  options.patience = patience;
  base::testing::World& world = control.world;
  server = std::make_unique<Server>(
      world.executor(), options,
      Parts{control.store.get(), *control.engine, *control.lifecycle, intake, archive_intake, fleet,
            platform, *control.keeper, *control.clock, world.timer, world.rng, world.worker,
            *signing_key});
  listening_ = control.engine->on_change(
      [this](const operation::Operation& operation) { server->on_operation(operation); });
  ASSERT(server->listen().has_value());
  base::asio::co_spawn(world.executor(), run_server(server.get()),
                       [](const std::exception_ptr& failure) { ASSERT(!failure); });
  operator_ = token(registry::Role::Operator);
}

ApiWorld::~ApiWorld() {
  control.world.run(server->close());
  control.world.settle();
  listening_.remove();
  server.reset();
}

void ApiWorld::drive(Task<void> task) {
  base::testing::World& world = control.world;
  bool done = false;
  base::asio::co_spawn(world.executor(), std::move(task), [&](const std::exception_ptr& failure) {
    ASSERT(!failure);
    done = true;
  });
  while (!done) {
    world.context.restart();
    if (world.context.run_one_for(std::chrono::milliseconds(3)) > 0) continue;
    const auto due = world.timer.next_due();
    if (due) world.advance(std::max(*due - world.clock.boot(), base::BootTime(0)));
  }
}

std::string ApiWorld::token(registry::Role role) {
  registry::Token token;
  token.role = role;
  token.created = control.world.clock.wall();
  token.id = base::make_ulid(token.created, control.world.rng);
  const std::string secret = registry::make_secret(control.world.rng);
  ASSERT(control.world
             .run(control.store.get().write(
                 [&](store::Transaction& tx) { return registry::adopt_token(tx, token, secret); }))
             .has_value());
  return secret;
}

Reply ApiWorld::ask(Ask ask) {
  std::string bytes =
      fmt::format("{} {} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n", ask.method, ask.target);
  const std::string secret = ask.token.empty() ? operator_ : ask.token;
  if (secret != "none") bytes += fmt::format("Authorization: Bearer {}\r\n", secret);
  if (!ask.body.empty())
    bytes += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", ask.type, ask.body.size());
  bytes += ask.headers + "\r\n" + ask.body;
  Reply reply;
  drive(exchange_one(server->port(), std::move(bytes), &reply));
  return reply;
}

std::string ApiWorld::raw(const std::string& bytes) { return raw_until(bytes, ""); }

std::string ApiWorld::raw_until(const std::string& bytes, const std::string& enough) {
  std::string received;
  drive(exchange_raw(server->port(), bytes, enough, &received));
  return received;
}

Reply ApiWorld::upload_archive(const std::string& bytes) {
  return ask(
      {.method = "POST", .target = "/v1/archives", .body = bytes, .type = "application/x-tar"});
}

void ApiWorld::add_tenant(const std::string& id) {
  const Reply reply = post("/v1/tenants", fmt::format(R"({{"id": "{}"}})", id));
  ASSERT(reply.status == 202);
  control.finish_all();
}

}  // namespace granary::api::testing

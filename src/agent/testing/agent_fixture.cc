#include "agent/testing/agent_fixture.h"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/os/child.h"

namespace granary::agent {

using base::json::object;

std::string init_program_path() {
  const std::string own = base::os::own_program().value_or("");
  return own.substr(0, own.rfind('/')) + "/granary-init";
}

void AgentFixture::SetUp() {
  HostFixture::SetUp();
  if (!launcher_) return;
  launcher_.reset();
  begin(Isolation::Full);
}
void AgentFixture::TearDown() {
  if (agent_) end(Accounts::Silos::Stop);
  parts_.reset();
  if (!cgroups_) return;
  launcher_ = std::make_unique<HostLauncher>(context_.get_executor(), parts());
  EXPECT_TRUE(run(launcher_->leftovers()).empty());
  HostFixture::TearDown();
}

void AgentFixture::begin(Isolation isolation) {
  auto parts = make_host_parts(
      {.paths = paths_, .isolation = isolation, .init_program = init_program_path()},
      context_.get_executor(), clock_, pool_);
  ASSERT_TRUE(parts.has_value()) << describe(parts.error());
  parts_ = std::move(*parts);
  AgentOptions options{.accounts = {.paths = paths_, .uid_base = kUid, .start_places = 4}};
  agent_ = std::make_unique<Agent>(options, AccountsParts{.executor = context_.get_executor(),
                                                          .clock = clock_,
                                                          .timer = timer_,
                                                          .rng = rng_,
                                                          .worker = pool_,
                                                          .bulk = pool_,
                                                          .launcher = parts_->launcher(),
                                                          .doors = parts_->doors(),
                                                          .cgroups = parts_->cgroups(),
                                                          .volumes = parts_->volumes(),
                                                          .board = parts_->board()});
  const auto started = run(agent_->start());
  ASSERT_TRUE(started.has_value()) << describe(started.error());
}
void AgentFixture::end(Accounts::Silos silos) {
  (void)run(closed(silos));
  agent_.reset();
  parts_.reset();
}
base::Task<bool> AgentFixture::closed(Accounts::Silos silos) {
  co_await agent_->close(silos);
  co_return true;
}

base::Task<wire::AgentResult<object>> AgentFixture::exchange(wire::Request request) {
  using Protocol = base::asio::local::stream_protocol;
  Protocol::socket socket(context_);
  base::ErrorCode error;
  co_await socket.async_connect(Protocol::endpoint(paths_.agent_socket()), base::into(error));
  const std::string frame = wire::encode_request(request);
  co_await base::asio::async_write(socket, base::asio::buffer(frame), base::into(error));
  std::string head(wire::kFrameHead, '\0');
  co_await base::asio::async_read(socket, base::asio::buffer(head), base::into(error));
  std::string body(wire::decode_head(head).value_or(0), '\0');
  co_await base::asio::async_read(socket, base::asio::buffer(body), base::into(error));
  const auto document = wire::decode_body(body);
  if (!document) co_return std::unexpected(wire::AgentError{document.error(), 0});
  const auto answer = wire::decode_answer(*document);
  if (!answer) co_return std::unexpected(wire::AgentError{answer.error(), 0});
  co_return answer->result;
}
wire::AgentResult<object> AgentFixture::call(wire::Verb verb, object arguments) {
  return run(exchange({.id = 7, .verb = verb, .arguments = std::move(arguments)}));
}
object AgentFixture::account(const std::string& name) {
  object arguments;
  arguments["account"] = name;
  return arguments;
}
wire::AgentResult<object> AgentFixture::wake(const std::string& name) {
  object arguments = account(name);
  arguments["service"] = "api";
  return call(wire::Verb::Activate, arguments);
}

wire::AccountSpec AgentFixture::spec_for(const std::string& name, const std::string& program,
                                         std::uint64_t version) {
  wire::AccountSpec spec;
  spec.account = base::AccountId(name);
  spec.ordinal = 1;
  spec.disk_bytes = 64ULL << 20;
  spec.release_hash = make_release(program);
  spec.release_name = "r";
  spec.version = version;
  spec.services = {plan_for(name, "").spec};
  spec.services[0].slot = 3;
  return spec;
}

wire::AgentResult<object> AgentFixture::apply(const wire::AccountSpec& spec) {
  object arguments;
  arguments["spec"] = to_json(spec);
  return call(wire::Verb::Apply, arguments);
}

}  // namespace granary::agent

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "agent/agent.h"
#include "agent/doctor.h"
#include "agent/host/host_parts.h"
#include "agent/host/precompile.h"
#include "agent/testing/host_fixture.h"
#include "base/hash.h"
#include "base/os/child.h"
#include "base/os/file.h"

namespace granary::agent {
namespace {

using base::Code;
using base::json::object;

std::string init_program() {
  const std::string own = base::os::own_program().value_or("");
  return own.substr(0, own.rfind('/')) + "/granary-init";
}

// The whole agent with its real parts, asked over its socket.
class AgentRootTest : public HostFixture {
 protected:
  void SetUp() override {
    HostFixture::SetUp();
    if (!launcher_) return;
    launcher_.reset();
    begin(Isolation::Full);
  }
  void TearDown() override {
    if (agent_) end(Accounts::Silos::Stop);
    parts_.reset();
    if (!cgroups_) return;
    launcher_ = std::make_unique<HostLauncher>(context_.get_executor(), parts());
    EXPECT_TRUE(run(launcher_->leftovers()).empty());
    HostFixture::TearDown();
  }

  void begin(Isolation isolation) {
    auto parts =
        make_host_parts({.paths = paths_, .isolation = isolation, .init_program = init_program()},
                        context_.get_executor(), clock_, pool_);
    ASSERT_TRUE(parts.has_value()) << describe(parts.error());
    parts_ = std::move(*parts);
    AgentOptions options{.accounts = {.paths = paths_, .uid_base = kUid, .start_places = 4}};
    agent_ = std::make_unique<Agent>(options, AccountsParts{.executor = context_.get_executor(),
                                                            .clock = clock_,
                                                            .timer = timer_,
                                                            .rng = rng_,
                                                            .worker = pool_,
                                                            .launcher = parts_->launcher(),
                                                            .doors = parts_->doors(),
                                                            .cgroups = parts_->cgroups(),
                                                            .volumes = parts_->volumes(),
                                                            .board = parts_->board()});
    const auto started = run(agent_->start());
    ASSERT_TRUE(started.has_value()) << describe(started.error());
  }
  void end(Accounts::Silos silos) {
    (void)run(closed(silos));
    agent_.reset();
    parts_.reset();
  }
  base::Task<bool> closed(Accounts::Silos silos) {
    co_await agent_->close(silos);
    co_return true;
  }

  base::Task<wire::AgentResult<object>> exchange(wire::Request request) {
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
  wire::AgentResult<object> call(wire::Verb verb, object arguments = {}) {
    return run(exchange({.id = 7, .verb = verb, .arguments = std::move(arguments)}));
  }
  static object account(const std::string& name) {
    object arguments;
    arguments["account"] = name;
    return arguments;
  }
  wire::AgentResult<object> wake(const std::string& name) {
    object arguments = account(name);
    arguments["service"] = "api";
    return call(wire::Verb::Activate, arguments);
  }
  wire::AgentResult<object> apply(const std::string& name, const std::string& program,
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
    object arguments;
    arguments["spec"] = to_json(spec);
    return call(wire::Verb::Apply, arguments);
  }

  base::os::AsioTimer timer_;
  base::os::SystemRng rng_;
  base::os::ThreadPool pool_{4};
  std::unique_ptr<HostParts> parts_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentRootTest, AppliedAccountWakesServesSleepsAndKeepsItsData) {
  const std::string program =
      http_app("open('/data/n', 'a').write('x') and len(open('/data/n').read())");
  ASSERT_TRUE(apply("acme", program, 1).has_value());
  const base::ServiceId service{base::AccountId("acme"), "api"};
  EXPECT_FALSE(base::os::exists(paths_.socket(service)));
  for (int life = 1; life <= 3; ++life) {
    const auto epoch = wake("acme");
    ASSERT_TRUE(epoch.has_value()) << describe(epoch.error().error);
    EXPECT_EQ(ask(service, "x"), std::to_string(life));
    const auto slept = call(wire::Verb::Sleep, account("acme"));
    ASSERT_TRUE(slept.has_value()) << describe(slept.error().error);
    EXPECT_FALSE(base::os::exists(paths_.socket(service)));
    EXPECT_TRUE(run(parts_->launcher().leftovers()).empty());
  }
}

TEST_F(AgentRootTest, ANewAgentGoesOnWithWhatTheLastOneStarted) {
  ASSERT_TRUE(apply("acme", http_app("'up'"), 1).has_value());
  const auto epoch = wake("acme");
  ASSERT_TRUE(epoch.has_value());
  const base::ServiceId service{base::AccountId("acme"), "api"};
  EXPECT_EQ(ask(service, "x"), "up");
  const auto before = *call(wire::Verb::Report, account("acme"));
  end(Accounts::Silos::LeaveRunning);
  EXPECT_EQ(ask(service, "x"), "up");  // nobody is needed for that
  begin(Isolation::Full);
  EXPECT_EQ(*wake("acme"), *epoch);
  const auto after = *call(wire::Verb::Report, account("acme"));
  EXPECT_EQ(after.at("services").at(0).at("pid"), before.at("services").at(0).at("pid"));
  EXPECT_NE(after.at("services").at(0).at("memory_bytes").to_number<std::int64_t>(), 0);
  EXPECT_TRUE(call(wire::Verb::Sleep, account("acme")).has_value());
  EXPECT_TRUE(run(parts_->launcher().leftovers()).empty());
}

TEST_F(AgentRootTest, LogsReportAndRemoveAnswer) {
  ASSERT_TRUE(apply("acme", "print('one')\nprint('two')\nraise SystemExit(3)\n", 1).has_value());
  (void)wake("acme");
  object arguments = account("acme");
  arguments["service"] = "api";
  arguments["cursor"] = 0;
  std::string report;
  for (int i = 0; i < 200 && report.find("exit code 3") == std::string::npos; ++i) {
    context_.restart();
    context_.run_for(std::chrono::milliseconds(10));
    report = base::json::print(*call(wire::Verb::Report, account("acme")));
  }
  EXPECT_NE(report.find("exit code 3"), std::string::npos) << report;
  const auto logs = call(wire::Verb::Logs, arguments);
  ASSERT_TRUE(logs.has_value());
  EXPECT_NE(base::json::print(*logs).find(" out two"), std::string::npos);
  arguments["cursor"] = logs->at("cursor");
  EXPECT_TRUE(call(wire::Verb::Logs, arguments)->at("lines").as_array().empty());
  EXPECT_TRUE(call(wire::Verb::Remove, account("acme")).has_value());
  EXPECT_EQ(call(wire::Verb::Report, account("acme")).error().error.code, Code::NotFound);
  EXPECT_FALSE(base::os::exists(paths_.account(base::AccountId("acme"))));
}

TEST_F(AgentRootTest, PythonIsCompiledOnceAndLeftAloneWhereItCannotBe) {
  const std::string folder = paths_.data() + "/release";
  ASSERT_TRUE(base::os::make_folders(folder + "/pkg", 0755));
  const auto write = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::os::replace_file(folder + name, text, 0644, base::os::Durability::Cached));
  };
  write("/pkg/good.py", "x = 1\n");
  write("/pkg/bad.py", "def (:\n");
  const auto done = precompile_python(folder, "/usr/bin/bwrap");
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  const auto cached = base::os::list_folder(folder + "/pkg/__pycache__");
  ASSERT_TRUE(cached.has_value());
  ASSERT_EQ(cached->size(), 1U);
  EXPECT_TRUE(cached->front().starts_with("good.cpython-"));
  EXPECT_FALSE(precompile_python(folder, "/no/bwrap").has_value());
}

TEST_F(AgentRootTest, WithoutIsolationItServesAllTheSame) {
  end(Accounts::Silos::LeaveRunning);
  begin(Isolation::None);
  ASSERT_TRUE(apply("acme", http_app("os.environ['DATA_DIR']"), 1).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  const base::ServiceId service{base::AccountId("acme"), "api"};
  EXPECT_NE(ask(service, "x").find("/accounts/acme/data"), std::string::npos);
  EXPECT_EQ(call(wire::Verb::Ping)->at("isolation").as_string(), "none");
  EXPECT_TRUE(call(wire::Verb::Sleep, account("acme")).has_value());
}

TEST_F(AgentRootTest, BadRequestsAreAnsweredAndHurtNobody) {
  EXPECT_EQ(call(wire::Verb::Report, account("../etc")).error().error.code, Code::InvalidArgument);
  EXPECT_EQ(call(wire::Verb::Apply, {}).error().error.code, Code::InvalidArgument);
  object release;
  release["release"] = "../../etc";
  EXPECT_EQ(call(wire::Verb::Unpack, release).error().error.code, Code::InvalidArgument);
  release["release"] = std::string(64, 'f');
  EXPECT_FALSE(call(wire::Verb::Unpack, release).has_value());
  EXPECT_TRUE(call(wire::Verb::Ping).has_value());
}

TEST_F(AgentRootTest, TheDoctorFindsThisMachineWell) {
  const auto findings = examine({.paths = paths_, .init_program = init_program()});
  for (const Finding& finding : findings) {
    if (finding.need == Need::Required) {
      EXPECT_EQ(finding.health, Health::Well) << finding.name << ": " << finding.detail;
    }
  }
  EXPECT_TRUE(can_isolate(findings));
  const auto without = examine({.paths = paths_, .init_program = "/no/init", .bwrap = "/no/bwrap"});
  EXPECT_FALSE(can_isolate(without));
}

}  // namespace
}  // namespace granary::agent

#include "agent/doctor.h"
#include "agent/host/precompile.h"
#include "agent/testing/agent_fixture.h"
#include "base/os/file.h"

namespace granary::agent {
namespace {

using base::Code;
using base::json::object;

class AgentRootTest : public AgentFixture {};

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
  const auto findings = examine({.paths = paths_, .init_program = init_program_path()});
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

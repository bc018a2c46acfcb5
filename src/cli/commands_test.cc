#include "cli/commands.h"

#include <gtest/gtest.h>

#include "api/wire/access_documents.h"
#include "api/wire/platform_documents.h"
#include "base/testing/temporary_folder.h"
#include "cli/testing/command_line.h"
#include "cli/testing/documents.h"

namespace granary::cli {
namespace {

using testing::CommandLine;
using testing::json;
using testing::operation;
using testing::operation_in;
using testing::Ran;
using testing::tenant;
using testing::tenant_in;

TEST(CommandsTest, CreatingATenantWaitsTellsStepsAndPrintsTheAddress) {
  CommandLine line;
  line.api.answer("POST /v1/tenants", 202, operation("queued"));
  line.api.answer("GET /v1/operations/01OP", 200, operation("running"));
  line.api.answer("GET /v1/operations/01OP", 200, operation("succeeded"));
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  const Ran ran = line.run({"tenant", "create", "acme", "--label", "plan=pro", "--label", "a=b",
                            "--set", "x=1=2", "--domain", "acme.example"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "acme is active: http://acme.localhost:8080\n");
  EXPECT_NE(ran.err.find("tenant.create of acme (01OP)\n  prepare done: release is at hand\n"),
            std::string::npos)
      << ran.err;
  const auto asked = line.api.asked();
  EXPECT_EQ(asked.at(0).authorization, "Bearer gry_test");
  EXPECT_EQ(asked.at(0).body, R"({"id":"acme","domains":["acme.example"],"discovery":[],)"
                              R"("labels":{"a":"b","plan":"pro"},"settings":{"x":"1=2"}})");
  EXPECT_EQ(asked.at(2).target, "/v1/operations/01OP?wait=10s&revision=running");
}

TEST(CommandsTest, AnEmptyNameIsToldAndNobodyAsked) {
  CommandLine line;
  for (const char* verb : {"show", "suspend", "pin"}) {
    const Ran ran = line.run({"tenant", verb, ""});
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_TRUE(ran.err.starts_with("granary: the tenant's name is empty\n")) << ran.err;
  }
  EXPECT_NE(line.run({"operation", "show", ""}).err.find("is empty"), std::string::npos);
  EXPECT_TRUE(line.api.asked().empty());
}

TEST(CommandsTest, TheCheckThatAnOperationStartedIsWaitedForToo) {
  CommandLine line;
  api_wire::OperationDocument created;
  created.id = "01OP";
  created.state = "succeeded";
  created.follow_up = "01CHECK";
  line.api.answer("POST /v1/tenants", 202, operation("queued"));
  line.api.answer("GET /v1/operations/01OP", 200, json(created));
  line.api.answer("GET /v1/operations/01CHECK", 200, operation("failed", "deployment.check"));
  const Ran ran = line.run({"tenant", "create", "acme"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("deployment.check of acme failed at converge: the disk is full"),
            std::string::npos)
      << ran.err;
}

TEST(CommandsTest, JsonIsTheApisDocumentAloneOnStandardOutput) {
  CommandLine line;
  line.api.answer("PATCH /v1/tenants/acme", 202, operation("queued"));
  line.api.answer("GET /v1/operations/01OP", 200, operation("succeeded"));
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  const Ran ran = line.run({"tenant", "update", "acme", "--label", "old-", "-o", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, tenant() + "\n");
  EXPECT_EQ(line.api.asked().at(0).body,
            R"({"labels":{"old":null},"settings":{},"add_domains":[],"remove_domains":[],)"
            R"("add_discovery":[],"remove_discovery":[]})");
}

TEST(CommandsTest, WithoutWaitingTheOperationIsNamed) {
  CommandLine line;
  line.api.answer("POST /v1/tenants/acme/suspend", 202, operation("queued", "tenant.suspend"));
  const Ran ran = line.run({"tenant", "suspend", "acme", "--no-wait"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "tenant.suspend of acme has begun: 01OP\n");
  EXPECT_EQ(line.api.asked().size(), 1U);
}

TEST(CommandsTest, AFailedOperationSaysWhatWhyAndWhatToDoNext) {
  CommandLine line;
  line.api.answer("POST /v1/tenants", 202, operation("queued"));
  line.api.answer("GET /v1/operations/01OP", 200, operation("failed"));
  const Ran ran = line.run({"tenant", "create", "acme"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("granary: tenant.create of acme failed at converge: the disk is full\n"
                         "  to do:  Make room. Then: granary operation retry 01OP\n"),
            std::string::npos)
      << ran.err;
}

TEST(CommandsTest, WhatIsWrongWithAReleaseIsNotToBeTriedAgain) {
  CommandLine line;
  line.api.answer("POST /v1/tenants", 202, operation("queued"));
  api_wire::OperationDocument failed = operation_in("failed");
  failed.error = api_wire::ErrorDocument{"invalid_argument", "no such command", "Correct it", {}};
  line.api.answer("GET /v1/operations/01OP", 200, json(failed));
  const Ran ran = line.run({"tenant", "create", "acme"});
  EXPECT_NE(ran.err.find("no such command\n  to do:  Correct it\n"), std::string::npos) << ran.err;
}

TEST(CommandsTest, AFailedTenantIsShownWithItsReasonAndWhatItLacks) {
  CommandLine line;
  api_wire::TenantDocument shown = tenant_in("failed");
  shown.services[0].phase = "not_deployed";
  shown.last_failure = api_wire::FailureDocument{
      "01OP",       "tenant.create",           "converge", "failed", "no such command",
      "Correct it", "2026-11-24T00:00:00.000Z"};
  shown.secrets_not_set = {"STRIPE_KEY"};
  line.api.answer("GET /v1/tenants/acme", 200, json(shown));
  const Ran ran = line.run({"tenant", "show", "acme"});
  for (const char* part : {"tenant.create failed at converge", "operation 01OP", "no such command",
                           "Correct it", "STRIPE_KEY", "not_deployed"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
}

TEST(CommandsTest, WarningsOfWhatWasDoneAreTold) {
  CommandLine line;
  line.api.answer("POST /v1/tenants/acme/suspend", 202, operation("queued", "tenant.suspend"));
  api_wire::OperationDocument done = operation_in("succeeded", "tenant.suspend");
  done.warnings = {"the secret STRIPE_KEY is not set"};
  line.api.answer("GET /v1/operations/01OP", 200, json(done));
  const Ran ran = line.run({"tenant", "suspend", "acme"});
  EXPECT_NE(ran.err.find("warning: the secret STRIPE_KEY is not set\n"), std::string::npos)
      << ran.err;
}

TEST(CommandsTest, AnApiThatIsAwayForAMomentIsWaitedFor) {
  CommandLine line;
  line.api.answer("GET /v1/operations/01OP", 200, operation("running"));
  line.api.answer("GET /v1/operations/01OP", 200, operation("succeeded"));
  line.api.drop_after(1, 1);
  const Ran ran = line.run({"operation", "wait", "01OP"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("the API is away; waiting for it to come back\n"), std::string::npos);
  line.api.drop_after(0, 1);
  EXPECT_EQ(line.run({"operation", "show", "01OP"}).code, 5);
}

TEST(CommandsTest, ExitCodesFollowTheErrorsCode) {
  CommandLine line;
  const auto problem = [](const std::string& code) {
    return fmt::format(R"({{"type":"t","title":"t","status":400,"detail":"why","code":"{}",)"
                       R"("advice":"do","context":[],"request_id":"r"}})",
                       code);
  };
  line.api.answer("GET /v1/tenants/acme", 400, problem("invalid_argument"));
  line.api.answer("GET /v1/tenants/acme", 404, problem("not_found"));
  line.api.answer("GET /v1/tenants/acme", 403, problem("refused"));
  line.api.answer("GET /v1/tenants/acme", 409, problem("conflict"));
  line.api.answer("GET /v1/tenants/acme", 503, problem("unavailable"));
  line.api.answer("GET /v1/tenants/acme", 504, problem("deadline"));
  line.api.answer("GET /v1/tenants/acme", 500, problem("internal"));
  for (const int expected : {2, 3, 4, 4, 5, 5, 1}) {
    const Ran ran = line.run({"tenant", "show", "acme"});
    EXPECT_EQ(ran.code, expected) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  const Ran json = line.run({"tenant", "show", "acme", "-o", "json"});
  EXPECT_EQ(json.err, "{\"code\":\"internal\",\"message\":\"why\",\"advice\":\"do\"}\n");
}

TEST(CommandsTest, WrongUsageIsTwoAndHelpIsNone) {
  CommandLine line;
  EXPECT_EQ(line.run({}).code, 2);
  EXPECT_EQ(line.run({"tenant"}).code, 2);
  EXPECT_EQ(line.run({"tenant", "create"}).code, 2);
  EXPECT_EQ(line.run({"tenant", "list", "--colour"}).code, 2);
  EXPECT_EQ(line.run({"tenant", "list", "-o", "xml"}).code, 2);
  EXPECT_EQ(line.run({"tenant", "create", "acme", "--label", "nothing"}).code, 2);
  EXPECT_EQ(line.run({"status", "--api", "ftp://x"}).code, 2);
  const Ran nothing = line.run({"tenant", "update", "acme"});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_NE(nothing.err.find("it is not said what of acme is to change"), std::string::npos);
  EXPECT_TRUE(line.api.asked().empty());
  const Ran help = line.run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* word : {"tenant", "release", "operation", "status", "token", "rollout"})
    EXPECT_NE(help.out.find(word), std::string::npos) << word;
}

TEST(CommandsTest, WhatIsNotBuiltYetIsRefusedAndNotMissing) {
  CommandLine line;
  const Ran ran = line.run({"rollout", "start", "insight-1", "--waves", "1,10%"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("granary rollout is not supported yet"), std::string::npos);
}

TEST(CommandsTest, NobodyThereIsFiveWithWhatToDo) {
  CommandLine line;
  line.environment["GRANARY_API"] = "http://127.0.0.1:1";
  const Ran ran = line.run({"tenant", "list"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_NE(ran.err.find("granary up"), std::string::npos);
  EXPECT_EQ(line.run({"status", "--api", "unix:/nothing/here.sock"}).code, 5);
}

TEST(CommandsTest, AnAnswerThatIsNotTheApisSaysSo) {
  CommandLine line;
  line.api.answer("GET /v1/status", 502, "<html>bad gateway</html>");
  line.api.answer("GET /v1/status", 200, "<html>hello</html>");
  line.api.answer("GET /v1/status", 200, "{}");
  EXPECT_EQ(line.run({"status"}).code, 5);
  EXPECT_EQ(line.run({"status"}).code, 5);
  EXPECT_NE(line.run({"status"}).err.find("member 'accounts' is missing"), std::string::npos);
}

TEST(CommandsTest, OffboardingAsksForTheNameAndDoesNothingWithoutIt) {
  CommandLine line;
  const std::string plan = json(api_wire::OffboardPlanDocument{
      "acme", "active", 30ULL * 24 * 3600 * 1000, 3 << 20, {"refuse all traffic"}});
  line.api.answer("POST /v1/tenants/acme/offboard", 200, plan);
  const Ran refused = line.run({"tenant", "offboard", "acme"}, "yes\n");
  EXPECT_EQ(refused.code, 4);
  EXPECT_EQ(line.api.asked().size(), 1U);
  EXPECT_NE(line.api.asked().at(0).body.find(R"("dry_run":true)"), std::string::npos);

  const Ran dry = line.run({"tenant", "offboard", "acme", "--dry-run"});
  EXPECT_EQ(dry.out,
            "Offboarding acme (active, 3.0 MiB on disk, retention 30d) would:\n"
            "  1. refuse all traffic\n");
}

TEST(CommandsTest, OffboardingWithRetentionDoesNotWaitForItsEnd) {
  CommandLine line;
  const std::string plan = json(api_wire::OffboardPlanDocument{"acme", "active", 1000, 0, {}});
  api_wire::OperationDocument kept;
  kept.id = "01OP";
  kept.state = "waiting";
  kept.updated = "2026-11-24T00:00:00.000Z";
  kept.next_attempt = "2026-12-24T00:00:00.000Z";
  line.api.answer("POST /v1/tenants/acme/offboard", 200, plan);
  line.api.answer("POST /v1/tenants/acme/offboard", 202, operation("queued", "tenant.offboard"));
  line.api.answer("GET /v1/operations/01OP", 200, json(kept));
  const Ran ran = line.run({"tenant", "offboard", "acme", "--retain", "30d"}, "acme\n");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("2026-12-24"), std::string::npos) << ran.out;
  EXPECT_EQ(line.api.asked().at(1).body, R"({"retain":"30d","dry_run":false})");
}

TEST(CommandsTest, ALeapOfTheClockIsShownAndAcceptedAsItWasShown) {
  api_wire::ClockDocument clock;
  clock.standing = "ahead";
  clock.time = "2026-11-24T00:00:00.000Z";
  clock.wall = "2027-12-29T00:00:00.000Z";
  clock.ahead_ms = 34'560'000'000;
  clock.problem = "The clock is 400 days ahead";
  clock.advice = "If it is right: granary clock accept";
  clock.retentions = 3;
  CommandLine line;
  for (int run = 0; run < 4; ++run) line.api.answer("GET /v1/clock", 200, json(clock));
  const Ran shown = line.run({"clock", "show"});
  EXPECT_NE(shown.out.find("3 retentions, 0 archives, 0 tokens"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("granary clock accept"), std::string::npos) << shown.out;
  EXPECT_EQ(line.run({"clock", "accept"}, "yes\n").code, 4);
  EXPECT_EQ(line.api.asked().size(), 2U);
  for (int run = 0; run < 2; ++run) line.api.answer("POST /v1/clock/accept", 200, json(clock));
  EXPECT_EQ(line.run({"clock", "accept"}, "accept\n").code, 0);
  EXPECT_EQ(line.run({"clock", "accept", "--yes"}).code, 0);
  EXPECT_EQ(line.api.asked().back().body, R"({"ahead_ms":34560000000})");
}

TEST(CommandsTest, TablesAreAlignedAndControlCharactersCannotDraw) {
  CommandLine line;
  line.api.answer("GET /v1/tenants", 200, R"({"items":[)" + tenant() + "]}");
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  const Ran list = line.run({"tenant", "list"});
  EXPECT_EQ(
      list.out,
      "TENANT  STATE   HEALTH   RELEASE                 PLAN  ADDRESS                     AGE\n"
      "acme    active  healthy  insight-1 -> insight-2  -     http://acme.localhost:8080  24h\n");
  const Ran show = line.run({"tenant", "show", "acme"});
  EXPECT_NE(show.out.find("Acme \\x1b[31mGmbH"), std::string::npos) << show.out;
  EXPECT_EQ(show.out.find('\x1b'), std::string::npos);
}

TEST(CommandsTest, ListsFollowTheirPages) {
  CommandLine line;
  line.api.answer("GET /v1/tenants", 200, R"({"items":[)" + tenant() + R"(],"next":"acme"})");
  line.api.answer("GET /v1/tenants", 200, R"({"items":[]})");
  const Ran ran = line.run({"tenant", "list", "-o", "json"});
  EXPECT_EQ(ran.out, R"({"items":[)" + tenant() + "]}\n");
  EXPECT_EQ(line.api.asked().at(1).target, "/v1/tenants?limit=1000&after=acme");
}

TEST(CommandsTest, CtrlCWhileWaitingSaysHowToGoOn) {
  CommandLine line;
  line.api.answer("GET /v1/operations/01OP", 200, operation("running"));
  line.api.interrupt_at(4);
  const Ran ran = line.run({"operation", "wait", "01OP"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("to do:  granary operation wait 01OP"), std::string::npos) << ran.err;
}

TEST(CommandsTest, AFolderIsPackedAndSentOnceTheApiWantsIt) {
  CommandLine line;
  base::testing::TemporaryFolder folder;
  folder.write("app/granary.yaml", "app: insight\n");
  folder.write("app/main.py", "print(1)\n");
  line.environment["TMPDIR"] = folder.path();
  line.api.answer(
      "POST /v1/releases", 201,
      json(api_wire::ReleaseDocument{
          "insight-1", "ab", "insight", 10, 2, "token/1", "2026-11-24T00:00:00.000Z", {}}));
  const Ran ran = line.run({"release", "create", folder / "app", "--name", "insight-1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("insight-1"), std::string::npos);
  const auto asked = line.api.asked().at(0);
  EXPECT_EQ(asked.target, "/v1/releases?name=insight-1");
  EXPECT_EQ(asked.type, "application/zstd");
  EXPECT_TRUE(asked.body.starts_with("\x28\xb5\x2f\xfd"));
  EXPECT_EQ(base::os::list_folder(folder.path())->size(), 1U);  // the bundle is gone again

  line.api.refuse_bundles();
  const Ran refused = line.run({"release", "create", folder / "app"});
  EXPECT_EQ(refused.code, 0);
  EXPECT_EQ(line.api.asked().at(1).body, "");
  EXPECT_EQ(line.run({"release", "create", folder.path()}).code, 2);
  EXPECT_EQ(line.run({"release", "create", folder / "nothing"}).code, 2);
}

TEST(CommandsTest, TheOperatorTokenIsFoundButNeverSentAway) {
  CommandLine line;
  base::testing::TemporaryFolder folder;
  folder.write("control/operator.token", "gry_secret\n");
  line.environment.erase("GRANARY_TOKEN");
  line.environment["GRANARY_DATA_DIR"] = folder.path();
  line.run({"tenant", "list"});
  EXPECT_EQ(line.api.asked().at(0).authorization, "Bearer gry_secret");
  line.run({"tenant", "list", "--token", "gry_given"});
  EXPECT_EQ(line.api.asked().at(1).authorization, "Bearer gry_given");
  line.environment["GRANARY_TOKEN_FILE"] = folder / "control/operator.token";
  line.environment["GRANARY_DATA_DIR"] = "/nowhere";
  line.run({"tenant", "list"});
  EXPECT_EQ(line.api.asked().at(2).authorization, "Bearer gry_secret");

  GlobalOptions options;
  options.api = "http://192.0.2.1:8081";
  options.data_dir = folder.path();
  line.environment.clear();
  std::ostringstream sink;
  std::istringstream nothing;
  const Surroundings elsewhere{sink,
                               sink,
                               nothing,
                               Terminal::No,
                               [](const std::string&) { return std::nullopt; },
                               line.world.clock,
                               line.world.rng};
  EXPECT_EQ(find_access(options, elsewhere)->secret, "");
}

TEST(CommandsTest, WithoutATokenTheRefusalSaysWhereOneCouldBe) {
  CommandLine line;
  line.environment.erase("GRANARY_TOKEN");
  line.environment["GRANARY_DATA_DIR"] = "/nowhere";
  line.api.answer("GET /v1/tenants", 401,
                  R"({"type":"t","title":"t","status":401,"detail":"no token",)"
                  R"("code":"unauthenticated","advice":"","context":[],"request_id":"r"})");
  const Ran ran = line.run({"tenant", "list"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("there is no operator token in /nowhere"), std::string::npos) << ran.err;
}

TEST(CommandsTest, AnEnvironmentVariableThatIsEmptyIsAsGoodAsNone) {
  CommandLine line;
  line.environment["GRANARY_DATA_DIR"] = "";
  line.environment["GRANARY_TOKEN"] = "";
  line.environment["GRANARY_TOKEN_FILE"] = "";
  line.api.answer("GET /v1/tenants", 401,
                  R"({"type":"t","title":"t","status":401,"detail":"no token",)"
                  R"("code":"unauthenticated","advice":"","context":[],"request_id":"r"})");
  const Ran ran = line.run({"tenant", "list"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("/var/lib/granary"), std::string::npos) << ran.err;
  line.environment["GRANARY_DATA_DIR"] = "here";
  const Ran relative = line.run({"tenant", "list"});
  EXPECT_EQ(relative.code, 2);
  EXPECT_NE(relative.err.find("'here' is not an absolute path"), std::string::npos) << relative.err;
}

TEST(CommandsTest, UpdatingATenantDescribesItsOwnOptions) {
  CommandLine line;
  const Ran help = line.run({"tenant", "update", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out.find("when creating"), std::string::npos) << help.out;
  EXPECT_NE(help.out.find("where missing, its release stays"), std::string::npos) << help.out;
  EXPECT_NE(help.out.find("K-: remove it"), std::string::npos) << help.out;
}

TEST(CommandsTest, ATokensSecretIsAloneOnStandardOutput) {
  CommandLine line;
  line.api.answer("POST /v1/tokens", 201,
                  json(api_wire::TokenDocument{"01T", "viewer", "ci", "2026-11-24T00:00:00.000Z",
                                               std::nullopt, std::nullopt, "gry_new"}));
  line.api.answer("DELETE /v1/tokens/01T", 204, "");
  const Ran made = line.run({"token", "create", "--role", "viewer", "--ttl", "12h"});
  EXPECT_EQ(made.out, "gry_new\n");
  EXPECT_EQ(line.run({"token", "revoke", "01T"}).code, 0);
  EXPECT_EQ(line.run({"token", "revoke", "../tenants"}).code, 3);
  EXPECT_EQ(line.api.asked().at(2).target, "/v1/tokens/..%2Ftenants");
}

TEST(CommandsTest, StatusCountsAndNamesTheBadOnes) {
  CommandLine line;
  api_wire::StatusDocument status;
  status.accounts = 3;
  status.by_state = {{"active", 2}, {"failed", 1}};
  status.services = 3;
  status.by_phase = {{"asleep", 3}};
  status.by_health = {{"healthy", 2}, {"unhealthy", 1}};
  status.unhealthy_accounts = 1;
  status.unhealthy.push_back({"globex", "failed", "unhealthy", "the disk is full"});
  line.api.answer("GET /v1/status", 200, json(status));
  const Ran all = line.run({"status"});
  EXPECT_NE(all.out.find("accounts:  3: 2 active, 1 failed\n"), std::string::npos) << all.out;
  EXPECT_NE(all.out.find("health:    2 healthy, 1 unhealthy\n"), std::string::npos) << all.out;
  const Ran bad = line.run({"status", "--unhealthy"});
  EXPECT_EQ(bad.out,
            "ACCOUNT  STATE   HEALTH     WHY\n"
            "globex   failed  unhealthy  the disk is full\n");
}

TEST(CommandsTest, StatusFailsWhileARoleIsAwayAndStillTellsTheRest) {
  CommandLine line;
  api_wire::StatusDocument status;
  status.accounts = 1;
  status.by_state = {{"active", 1}};
  status.not_ready = {"the agent does not answer"};
  status.warnings = {"the disk is almost full"};
  line.api.answer("GET /v1/status", 200, json(status));
  line.api.answer("GET /v1/status", 200, json(status));
  const Ran ran = line.run({"status"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_NE(ran.out.find("not ready:  the agent does not answer\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("the disk is almost full\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("1 active"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("the platform is not ready"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace granary::cli

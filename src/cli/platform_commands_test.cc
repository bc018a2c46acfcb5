#include <gtest/gtest.h>

#include "api/wire/platform_documents.h"
#include "cli/testing/command_line.h"

// Plans, secrets, domains, pins, the audit log and drift from the command line.
namespace granary::cli {
namespace {

using testing::CommandLine;
using testing::Ran;

template <class Document>
std::string json(const Document& document) {
  return base::json::print(api_wire::to_json(document));
}

std::string problem(const std::string& code, const std::string& detail) {
  return fmt::format(R"({{"type":"t","title":"t","status":400,"detail":"{}","code":"{}",)"
                     R"("advice":"","context":[],"request_id":"r"}})",
                     detail, code);
}

void serve_operation(CommandLine& line, const std::string& request,
                     const std::string& state = "succeeded") {
  api_wire::OperationDocument operation;
  operation.id = "01OP";
  operation.kind = "some.change";
  operation.subject = "fleet";
  operation.state = "queued";
  line.api.answer(request, 202, json(operation));
  operation.state = state;
  line.api.answer("GET /v1/operations/01OP", 200, json(operation));
}

api_wire::TenantDocument tenant() {
  api_wire::TenantDocument document;
  document.id = "acme";
  document.state = "active";
  document.release = "insight-1";
  document.desired_release = "insight-1";
  document.created = "2026-11-23T00:00:00.000Z";
  return document;
}

TEST(PinCommandTest, ATenantIsHeldAndLetGo) {
  CommandLine line;
  api_wire::TenantDocument pinned = tenant();
  pinned.pinned = true;
  pinned.pinned_until = "2026-12-24T00:00:00.000Z";
  line.api.answer("POST /v1/tenants/acme/pin", 200, json(pinned));
  line.api.answer("DELETE /v1/tenants/acme/pin", 200, json(tenant()));
  const Ran held = line.run({"tenant", "pin", "acme", "--until", "30d"});
  EXPECT_EQ(held.out, "acme stays at insight-1 until 2026-12-24T00:00:00.000Z\n");
  EXPECT_EQ(line.api.asked().at(0).body, R"({"until":"30d"})");
  EXPECT_EQ(line.run({"tenant", "unpin", "acme"}).out, "acme is not held any more\n");
  EXPECT_EQ(line.run({"tenant", "unpin", "nobody"}).code, 3);
  EXPECT_EQ(line.run({"tenant", "unpin", "acme", "-o", "json"}).out, json(tenant()) + "\n");
}

TEST(TenantCommandTest, WaysToBeFoundArePassedOnAndShown) {
  CommandLine line;
  api_wire::TenantDocument document = tenant();
  document.discovery = {"email-domain:acme.example", "email:ann@acme.example"};
  document.pinned = true;
  document.domain_claims.push_back({"acme", "a.example", "granary-x", "_granary.a.example",
                                    "/.well-known/x", "2026-11-23T00:00:00.000Z"});
  serve_operation(line, "PATCH /v1/tenants/acme");
  serve_operation(line, "POST /v1/tenants");
  line.api.answer("GET /v1/tenants/acme", 200, json(document));
  EXPECT_EQ(line.run({"tenant", "create", "acme", "--email", "ann@acme.example", "--email-domain",
                      "acme.example", "--no-wait"})
                .code,
            0);
  EXPECT_NE(line.api.asked().at(0).body.find(
                R"("discovery":["email:ann@acme.example","email-domain:acme.example"])"),
            std::string::npos);
  EXPECT_EQ(line.run({"tenant", "update", "acme", "--email", "b@a.example", "--remove-email",
                      "ann@acme.example", "--remove-email-domain", "acme.example", "--no-wait"})
                .code,
            0);
  EXPECT_NE(line.api.asked().at(1).body.find(
                R"("add_discovery":["email:b@a.example"],"remove_discovery":)"
                R"(["email:ann@acme.example","email-domain:acme.example"])"),
            std::string::npos)
      << line.api.asked().at(1).body;
  const Ran shown = line.run({"tenant", "show", "acme"});
  EXPECT_NE(shown.out.find("found by:  email-domain:acme.example, email:ann@acme.example\n"),
            std::string::npos)
      << shown.out;
  EXPECT_NE(shown.out.find("pinned:    for good\n"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("a.example (TXT _granary.a.example is to be granary-x)"),
            std::string::npos)
      << shown.out;
}

std::string plan() {
  api_wire::PlanDocument document;
  document.name = "pro";
  document.defaults.memory_bytes = 256U << 20;
  document.ceilings.memory_bytes = 1U << 30;
  document.ceilings.cpu_millis = 1500;
  document.idle_ms = 300'000;
  document.egress = false;
  document.price = "49.00 EUR";
  document.version = 3;
  document.updated = "2026-11-24T00:00:00.000Z";
  document.accounts = 12;
  return json(document);
}

TEST(PlanCommandTest, SettingAPlanChangesOnlyWhatIsTyped) {
  CommandLine line;
  line.api.answer("GET /v1/plans/pro", 200, plan());
  serve_operation(line, "PUT /v1/plans/pro");
  const Ran ran = line.run({"plan", "set", "pro", "--max-memory", "2Gi", "--disk", "10Gi",
                            "--max-cpu", "none", "--egress"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "plan pro is set\n");
  EXPECT_EQ(line.api.asked().at(1).body,
            R"({"defaults":{"memory_bytes":268435456,"disk_bytes":10737418240},)"
            R"("ceilings":{"memory_bytes":2147483648},"idle_ms":300000,"egress":true,)"
            R"("price":"49.00 EUR"})");
}

TEST(PlanCommandTest, ANewPlanHasWhatIsTypedAlone) {
  CommandLine line;
  serve_operation(line, "PUT /v1/plans/free");
  const Ran ran =
      line.run({"plan", "set", "free", "--memory", "64Mi", "--max-cpu", "0.25", "--processes", "16",
                "--in-flight", "10", "--max-idle", "5m", "--no-egress", "--price", "0.00 EUR"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(line.api.asked().at(1).body,
            R"({"defaults":{"memory_bytes":67108864,"processes":16,"in_flight":10},)"
            R"("ceilings":{"cpu_millis":250},"idle_ms":300000,"egress":false,"price":"0.00 EUR"})");
}

TEST(PlanCommandTest, WhatIsNoQuantityIsWrongUsageAndNothingIsPut) {
  CommandLine line;
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--memory", "lots"},
                                                        {"--max-cpu", "half"},
                                                        {"--processes", "-1"},
                                                        {"--in-flight", "5000000000"},
                                                        {"--max-idle", "soon"}}) {
    EXPECT_EQ(line.run({"plan", "set", "free", option, value}).code, 2) << option;
  }
  EXPECT_EQ(line.run({"plan", "set", "free", "--egress", "--no-egress"}).code, 2);
  for (const auto& asked : line.api.asked()) EXPECT_EQ(asked.method, "GET");
  line.api.answer("GET /v1/plans/free", 403, problem("refused", "not you"));
  EXPECT_EQ(line.run({"plan", "set", "free", "--memory", "1Mi"}).code, 4);
}

TEST(PlanCommandTest, PlansAreListedShownAndDeleted) {
  CommandLine line;
  line.api.answer("GET /v1/plans", 200, R"({"items":[)" + plan() + "]}");
  line.api.answer("GET /v1/plans/pro", 200, plan());
  line.api.answer("DELETE /v1/plans/pro", 409, problem("conflict", "12 accounts have it"));
  EXPECT_NE(line.run({"plan", "list"}).out.find("pro   12        default 256Mi, at most 1Gi"),
            std::string::npos);
  const Ran shown = line.run({"plan", "show", "pro"});
  EXPECT_NE(shown.out.find("cpu:       at most 1.5\n"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("idle:      at most 5m\n"), std::string::npos) << shown.out;
  EXPECT_EQ(line.run({"plan", "delete", "pro"}).code, 4);
}

TEST(PlanCommandTest, APlanThatCameWithTheProductHasNoDate) {
  CommandLine line;
  api_wire::PlanDocument built_in;
  built_in.name = "standard";
  built_in.version = 1;
  built_in.updated = "1970-01-01T00:00:00.000Z";
  line.api.answer("GET /v1/plans/standard", 200, json(built_in));
  const Ran shown = line.run({"plan", "show", "standard"});
  EXPECT_NE(shown.out.find("version:   1 (built in)\n"), std::string::npos) << shown.out;
  EXPECT_EQ(shown.out.find("1970"), std::string::npos) << shown.out;
}

TEST(SecretCommandTest, TheValueComesFromStandardInputWithoutItsLastLinesEnd) {
  CommandLine line;
  serve_operation(line, "PUT /v1/secrets/KEY");
  const Ran ran = line.run({"secret", "set", "KEY", "--tenant", "acme"}, "two\nlines\n");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "secret KEY of acme is set\n");
  EXPECT_EQ(line.api.asked().at(0).body, R"({"value":"two\nlines","tenant":"acme"})");
  line.run({"secret", "set", "KEY", "--no-wait"}, "x\r\n");
  EXPECT_EQ(line.api.asked().back().body, R"({"value":"x"})");
  line.run({"secret", "set", "KEY", "--no-wait"}, "x\n\n");
  EXPECT_EQ(line.api.asked().back().body, R"({"value":"x\n"})");
}

TEST(SecretCommandTest, APersonIsAskedAndWhatIsTypedIsNeverPrinted) {
  CommandLine line;
  line.terminal = Terminal::Yes;
  line.hidden = "hunter2";
  serve_operation(line, "PUT /v1/secrets/KEY");
  const Ran ran = line.run({"secret", "set", "KEY"}, "not this");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(line.api.asked().at(0).body, R"({"value":"hunter2"})");
  EXPECT_EQ((ran.out + ran.err).find("hunter2"), std::string::npos);
  EXPECT_NE(ran.err.find("Value of KEY"), std::string::npos);
}

TEST(SecretCommandTest, WhatCannotBeAValueIsRefusedWithoutBeingShown) {
  CommandLine line;
  for (const std::string& value : {std::string(), std::string("\n"), std::string("hunter2\xff"),
                                   std::string(kMaxSecretInput + 1, 'h')}) {
    const Ran ran = line.run({"secret", "set", "KEY"}, value);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ((ran.out + ran.err).find("hunter2"), std::string::npos);
    EXPECT_EQ((ran.out + ran.err).find("hhh"), std::string::npos);
  }
  EXPECT_TRUE(line.api.asked().empty());
}

TEST(SecretCommandTest, SecretsAreListedByNameAndUnset) {
  CommandLine line;
  api_wire::SecretList list;
  list.items.push_back({"ALL", std::nullopt, "2026-11-23T00:00:00.000Z", "token/1"});
  list.items.push_back({"KEY", "acme", "2026-11-23T00:00:00.000Z", "token/\x1b[2J"});
  line.api.answer("GET /v1/secrets", 200, json(list));
  serve_operation(line, "DELETE /v1/secrets/KEY");
  const Ran listed = line.run({"secret", "list", "--tenant", "acme"});
  EXPECT_NE(listed.out.find("ALL     (all)   24h ago"), std::string::npos) << listed.out;
  EXPECT_EQ(listed.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.run({"secret", "unset", "KEY", "--tenant", "acme"}).out,
            "secret KEY of acme is gone\n");
  EXPECT_EQ(line.api.asked().at(1).target, "/v1/secrets/KEY?tenant=acme");
  EXPECT_EQ(line.run({"secret", "unset", "NOTHING"}).code, 3);
}

TEST(DomainCommandTest, AClaimTellsHowToProveItAndVerifyingWhetherItIsProved) {
  CommandLine line;
  const std::string claim = json(api_wire::DomainClaimDocument{
      "acme", "a.example", "granary-abc", "_granary.a.example", "/.well-known/granary/domain-token",
      "2026-11-23T00:00:00.000Z"});
  line.api.answer("POST /v1/tenants/acme/domain-claims", 201, claim);
  line.api.answer("GET /v1/tenants/acme/domain-claims", 200, R"({"items":[)" + claim + "]}");
  line.api.answer("DELETE /v1/tenants/acme/domain-claims/a.example", 204, "");
  const Ran claimed = line.run({"domain", "claim", "acme", "a.example"});
  EXPECT_NE(claimed.out.find("_granary.a.example  TXT  granary-abc"), std::string::npos)
      << claimed.out;
  EXPECT_NE(claimed.out.find("granary domain verify acme a.example"), std::string::npos);
  const std::string verify = "POST /v1/tenants/acme/domain-claims/a.example/verify";
  line.api.answer(verify, 409, problem("conflict", "the token was not found"));
  EXPECT_EQ(line.run({"domain", "verify", "acme", "a.example"}).code, 4);
  EXPECT_NE(line.run({"domain", "list", "acme"}).out.find("granary-abc"), std::string::npos);
  EXPECT_EQ(line.run({"domain", "drop", "acme", "a.example"}).code, 0);
  CommandLine proved;
  serve_operation(proved, verify);
  EXPECT_EQ(proved.run({"domain", "verify", "acme", "a.example"}).out, "a.example is acme's\n");
}

TEST(AuditCommandTest, EntriesAreListedWithWhatChangedAndMadeSafe) {
  CommandLine line;
  api_wire::AuditEntryDocument entry;
  entry.number = 7;
  entry.at = "2026-11-24T00:00:00.000Z";
  entry.actor = "token/01T";
  entry.action = "tenant.update";
  entry.subject = "tenant/acme";
  entry.before = base::json::parse_object(R"({"plan": "pro", "gone": 1})", 100).value();
  entry.after = base::json::parse_object(R"({"plan": "max\u001b[2J", "new": true})", 100).value();
  line.api.answer("GET /v1/audit", 200, json(api_wire::AuditList{{entry}, std::nullopt}));
  const Ran ran = line.run({"audit", "--subject", "tenant/acme", "--since", "24h"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find(R"(new: - -> true, gone: 1 -> -)"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(R"(plan: "pro" -> "max)"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.api.asked().at(0).target, "/v1/audit?subject=tenant%2Facme&since=24h&limit=1000");
}

TEST(AuditCommandTest, TimesAndDurationsAreShownAsPeopleWriteThem) {
  CommandLine line;
  api_wire::AuditEntryDocument entry;
  entry.after = base::json::parse_object(
                    R"({"asked": {"keep_us": 86400000000, "retain_until": 1795778919879969}})", 200)
                    .value();
  line.api.answer("GET /v1/audit", 200, json(api_wire::AuditList{{entry}, std::nullopt}));
  const Ran ran = line.run({"audit"});
  EXPECT_NE(ran.out.find(R"({"keep_us":"1d","retain_until":"2026-11-27T)"), std::string::npos)
      << ran.out;
}

TEST(AuditCommandTest, ALogThatHoldsSaysSoAndABrokenOneFails) {
  CommandLine line;
  api_wire::AuditCheckDocument check;
  check.entries = 3;
  check.head = {3, "abc"};
  line.api.answer("GET /v1/audit/check", 200, json(check));
  EXPECT_EQ(line.run({"audit", "--check"}).out, "3 entries, each as it was written; head 3:abc\n");
  EXPECT_EQ(line.run({"audit", "--head"}).out, "3:abc\n");
  EXPECT_EQ(line.run({"audit", "--check", "--head", "2:def"}).out,
            "3 entries, each as it was written, the known head among them; head 3:abc\n");
  EXPECT_EQ(line.api.asked().at(2).target, "/v1/audit/check?number=2&hash=def");
  EXPECT_EQ(line.run({"audit", "--head", "2:def", "-o", "json"}).out, json(check) + "\n");
  EXPECT_EQ(line.run({"audit", "--check", "--head", "nonsense"}).code, 2);

  CommandLine broken;
  check.problem = "entry 2 was changed";
  broken.api.answer("GET /v1/audit/check", 200, json(check));
  const Ran ran = broken.run({"audit", "--check"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("entry 2 was changed"), std::string::npos) << ran.err;
  EXPECT_EQ(broken.run({"audit", "--head"}).code, 1);
}

TEST(DriftCommandTest, DriftIsShownAndMendedByNameAndDestroyingAsks) {
  CommandLine line;
  api_wire::DriftDocument drift;
  drift.compared = 10;
  drift.under_way = 1;
  drift.items.push_back({"acme", "host", "orphan", "no tenant of this name", "destroy it"});
  line.api.answer("GET /v1/drift", 200, json(drift));
  serve_operation(line, "POST /v1/drift/repairs");
  const Ran shown = line.run({"drift"});
  EXPECT_NE(shown.out.find("10 accounts compared, 1 differ, 1 are being changed"),
            std::string::npos)
      << shown.out;
  EXPECT_NE(shown.out.find("acme     host   orphan"), std::string::npos) << shown.out;
  EXPECT_EQ(line.run({"drift", "--repair"}).code, 0);
  EXPECT_EQ(line.api.asked().at(1).body, R"({"recreate":[],"destroy":[]})");
  EXPECT_EQ(line.run({"drift", "--destroy", "acme"}, "no\n").code, 4);
  EXPECT_EQ(line.run({"drift", "--destroy", "acme"}, "acme\n").code, 0);
  EXPECT_EQ(line.run({"drift", "--recreate", "acme"}, "no\n").code, 4);
  EXPECT_EQ(line.run({"drift", "--recreate", "acme"}, "acme\n").code, 0);
  const Ran both = line.run(
      {"drift", "--repair", "--recreate", "a", "--recreate", "b", "--destroy", "c", "--yes"});
  EXPECT_EQ(both.code, 0) << both.err;
  const auto asked = line.api.asked();
  EXPECT_EQ(asked.at(asked.size() - 2).body, R"({"recreate":["a","b"],"destroy":["c"]})");
}

}  // namespace
}  // namespace granary::cli

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/world.h"
#include "release/limits.h"
#include "release/manifest.h"
#include "release/testing/fuzz_targets.h"

namespace granary::release {
namespace {

using base::Code;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::string_view kInsight = R"(app: insight
services:
  api:
    command: [python3, -S, serve.py]
    listen: fd
    routes: [/api/]
    health: /api/health
    idle: 60s
    start_timeout: 10s
    stop_timeout: 1500ms
    limits: {memory: 128Mi, cpu: 0.5, processes: 16, in_flight: 100}
    env: {LOG_LEVEL: info, WORKERS: 4, "QUOTED": "yes"}
data: {quota: 256Mi}
frontend: {root: web, fallback: index.html}
)";

base::Error refusal(std::string_view yaml) {
  auto parsed = parse_manifest(yaml, "granary.yaml");
  EXPECT_FALSE(parsed.has_value()) << yaml;
  return parsed ? base::Error{} : parsed.error();
}

// A manifest with one service whose last line, line 5, is `line`.
std::string with(std::string_view line) {
  const std::string_view routes = line.starts_with("routes:") ? "" : "    routes: [/]\n";
  return fmt::format("app: a\nservices:\n  api:\n    command: [run]\n    {}\n{}", line, routes);
}

TEST(ManifestTest, EveryKeyIsReadAsWritten) {
  const auto parsed = parse_manifest(kInsight, "granary.yaml");
  ASSERT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  Service api;
  api.name = "api";
  api.command = {"python3", "-S", "serve.py"};
  api.routes = {"/api/"};
  api.health = "/api/health";
  api.idle = 60s;
  api.start_timeout = 10s;
  api.stop_timeout = 1500ms;
  api.limits = {.memory_bytes = 128 << 20, .cpu_millis = 500, .processes = 16, .in_flight = 100};
  api.env = {{"LOG_LEVEL", "info"}, {"WORKERS", "4"}, {"QUOTED", "yes"}};
  EXPECT_EQ(*parsed, (Manifest{.app = "insight",
                               .services = {api},
                               .quota_bytes = 256ULL << 20,
                               .frontend = Frontend{"web", "index.html"}}));
}

TEST(ManifestTest, WhatIsLeftOutHasItsDefault) {
  const auto parsed = parse_manifest(with("routes: [/]"), "granary.yaml");
  ASSERT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  Service api;
  api.name = "api";
  api.command = {"run"};
  api.routes = {"/"};
  EXPECT_EQ(*parsed,
            (Manifest{.app = "a", .services = {api}, .quota_bytes = 1ULL << 30, .frontend = {}}));
}

TEST(ManifestTest, NeverAndPortsAreRead) {
  EXPECT_EQ(parse_manifest(with("idle: never"), "f")->services[0].idle, std::nullopt);
  EXPECT_EQ(parse_manifest(with("listen: 8080"), "f")->services[0].port, 8080);
}

TEST(ManifestTest, TheOrderInTheFileMeansNothing) {
  const auto one = parse_manifest(
      "app: a\nservices:\n  x: {command: [x], routes: [/]}\n  b: {command: [b], routes: [/b]}\n",
      "f");
  const auto two = parse_manifest(
      "services: {b: {command: [b], routes: [/b]}, x: {command: [x], routes: [/]}}\napp: a\n", "f");
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(*one, *two);
  EXPECT_EQ(base::json::print(to_json(*one)), base::json::print(to_json(*two)));
}

TEST(ManifestTest, AliasesAreCopiedOut) {
  const auto parsed = parse_manifest(
      "app: a\nservices:\n"
      "  x: {command: [x], routes: [/], limits: &small {memory: 32Mi, cpu: 0.1}}\n"
      "  y: {command: [y], routes: [/y], limits: *small}\n",
      "f");
  ASSERT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  EXPECT_EQ(parsed->services[0].limits, parsed->services[1].limits);
  EXPECT_EQ(parsed->services[1].limits.memory_bytes, 32ULL << 20);
}

TEST(ManifestTest, AnUnknownKeyIsRefusedWithItsPlaceAndTheNearestName) {
  EXPECT_EQ(refusal(with("route: [/]")),
            (base::Error{Code::InvalidArgument,
                         "granary.yaml:5:5: services.api.route is not a known key",
                         "Did you mean routes?",
                         {}}));
  EXPECT_EQ(refusal(with("limits: {memori: 1Gi}")).message,
            "granary.yaml:5:14: services.api.limits.memori is not a known key");
  EXPECT_THAT(refusal("app: a\nxyzzy: 1\n").advice, StartsWith("Known here: app, services"));
}

TEST(ManifestTest, AKeyWrittenTwiceIsRefusedAtTheSecond) {
  EXPECT_EQ(refusal("app: a\nservices: {x: {command: [x], routes: [/]}}\napp: b\n").message,
            "granary.yaml:3:1: app is written twice");
  EXPECT_THAT(
      refusal(
          "app: a\nservices: {x: {command: [x], routes: [/]}, x: {command: [y], routes: [/]}}\n")
          .message,
      HasSubstr("services.x is written twice"));
}

TEST(ManifestTest, KeysThatAreNotBuiltYetAreRefusedAsSuch) {
  for (const char* key : {"functions", "schedules", "hooks", "aws"}) {
    const base::Error error = refusal(
        fmt::format("app: a\nservices: {{x: {{command: [x], routes: [/]}}}}\n{}: {{}}\n", key));
    EXPECT_EQ(error.code, Code::NotSupported);
    EXPECT_EQ(error.message, fmt::format("granary.yaml:3:1: {} is not supported yet", key));
  }
}

TEST(ManifestTest, AMissingKeyIsNamedWithAnExample) {
  EXPECT_EQ(refusal("services: {x: {command: [x], routes: [/]}}\n").message,
            "granary.yaml:1:1: the manifest lacks the key app");
  EXPECT_THAT(refusal("app: a\n").advice, HasSubstr("services:"));
  EXPECT_EQ(refusal("app: a\nservices:\n  x: {listen: fd}\n").message,
            "granary.yaml:3:6: services.x lacks the key command");
  EXPECT_THAT(refusal("app: a\nservices: {}\n").message, HasSubstr("declares no service"));
}

struct BadLine {
  const char* line;
  const char* expected;  // a part of the message
};

class BadLineTest : public ::testing::TestWithParam<BadLine> {};

TEST_P(BadLineTest, IsRefusedAtItsLine) {
  const base::Error error = refusal(with(GetParam().line));
  EXPECT_EQ(error.code, Code::InvalidArgument);
  EXPECT_THAT(error.message, StartsWith("granary.yaml:5:"));
  EXPECT_THAT(error.message, HasSubstr(GetParam().expected));
  EXPECT_FALSE(error.advice.empty()) << error.message;
}

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, BadLineTest,
    ::testing::Values(BadLine{"routes: /api/", "services.api.routes must be a list, not a text"},
                      BadLine{"routes: [[/]]", "services.api.routes[0] must be a path, not a list"},
                      BadLine{"limits: [1]", "must be a map, not a list"},
                      BadLine{"limits:", "must be a map, not empty"},
                      BadLine{"env: {A: [1]}", "env.A must be a text, not a list"},
                      BadLine{"env: {A: }", "env.A must be a text, not empty"},
                      BadLine{"idle: {}", "idle must be a time or never, not a map"},
                      BadLine{"idle: off", "idle must be a time or never, not 'off'"},
                      BadLine{"stop_timeout: ", "must be a time, not empty"},
                      BadLine{"limits: {memory: }", "must be a size, not empty"},
                      BadLine{"listen: \"8080\"", "must be fd or a port number"},
                      BadLine{"listen: tcp", "must be fd or a port number"},
                      BadLine{"limits: {cpu: \"1\"}", "must be a number, not a quoted text"},
                      BadLine{"limits: {processes: many}", "must be a whole number, not 'many'"},
                      BadLine{"limits: {in_flight: 1.5}", "must be a whole number, not '1.5'"},
                      BadLine{"health: [/h]", "must be a path, not a list"},
                      BadLine{"? [a]\n    : b", "a key must be a plain text"}));

INSTANTIATE_TEST_SUITE_P(
    OutOfBounds, BadLineTest,
    ::testing::Values(BadLine{"listen: 80", "is 80; it must lie between 1024 and 65535"},
                      BadLine{"listen: 65536", "between"},
                      BadLine{"listen: 99999999999999999999999", "must be fd or a port"},
                      BadLine{"idle: 0s", "is 0s; it must lie between 1s and 7d"},
                      BadLine{"idle: 60", "must be a time or never, not '60'"},
                      BadLine{"idle: -1s", "must be a time"},
                      BadLine{"idle: 99999999999999999999s", "must be a time"},
                      BadLine{"start_timeout: 1h", "between 100ms and 5m"},
                      BadLine{"stop_timeout: 1ms", "between 100ms and 5m"},
                      BadLine{"limits: {memory: 1Mi}", "is 1Mi; it must lie between 16Mi and 64Gi"},
                      BadLine{"limits: {memory: 128M}", "must be a size, not '128M'"},
                      BadLine{"limits: {memory: 128}", "must be a size"},
                      BadLine{"limits: {memory: 17179869184Ti}", "must be a size"},
                      BadLine{"limits: {cpu: 0.01}", "between 0.05 and 64"},
                      BadLine{"limits: {cpu: 65}", "between 0.05 and 64"},
                      BadLine{"limits: {cpu: 0.0001}", "must be a number"},
                      BadLine{"limits: {cpu: .inf}", "must be a number"},
                      BadLine{"limits: {processes: 1}", "between 4 and 4096"},
                      BadLine{"limits: {in_flight: 0}", "between 1 and 10000"}));

INSTANTIATE_TEST_SUITE_P(
    BadPaths, BadLineTest,
    ::testing::Values(
        BadLine{"routes: [api/]", "must begin with /"},
        BadLine{"routes: [\"\"]", "must begin with /"},
        BadLine{"routes: [/a//b/]", "must not hold //"},
        BadLine{"routes: [/a/../b]", "must not hold . or .."},
        BadLine{"routes: [\"/a?b=c\"]", "no query"}, BadLine{"routes: [\"/a b\"]", "escape"},
        BadLine{"routes: [/api/*]", "no wildcards"},
        BadLine{"routes: [/.well-known/granary/x]", "belongs to the platform"},
        BadLine{"routes: [/a, /b, /a/]", "is a route of api already"},
        BadLine{"health: api/health", "must begin with /"},
        BadLine{"health: \"/h\\r\\nX: y\"", "escape"}, BadLine{"env: {1A: x}", "may not be set"},
        BadLine{"env: {A=B: x}", "may not be set"}, BadLine{"env: {\"\": x}", "may not be set"},
        BadLine{"env: {PORT: 1}", "the platform sets this one itself"},
        BadLine{"env: {LISTEN_FDS: 1}", "the platform sets this one itself"},
        BadLine{"env: {APP_RELEASE: 1}", "the platform sets this one itself"},
        BadLine{"env: {A: \"a\\0b\"}", "NUL"}));

TEST(ManifestTest, OneRouteBelongsToOneService) {
  const auto two = [](std::string_view one, std::string_view other) {
    return fmt::format(
        "app: a\nservices:\n  x: {{command: [x], routes: [{}]}}\n  y: {{command: [y], routes: "
        "[{}]}}\n",
        one, other);
  };
  EXPECT_EQ(refusal(two("/api/", "/api/")).message,
            "granary.yaml:4:30: services.y.routes[0] /api/ overlaps with a route of x");
  EXPECT_THAT(refusal(two("/api", "/api/")).message, HasSubstr("overlaps"));
  EXPECT_TRUE(parse_manifest(two("/", "/api/"), "f").has_value());
  EXPECT_TRUE(parse_manifest(two("/api/", "/api/v2/"), "f").has_value());
  EXPECT_TRUE(parse_manifest(two("/api/", "/apis/"), "f").has_value());
}

TEST(ManifestTest, NamesAreHeldToTheirAlphabet) {
  const std::vector<std::string> bad = {"\"\"",
                                        "Insight",
                                        "1st",
                                        "..",
                                        "a_b",
                                        "a/b",
                                        "-a",
                                        std::string(32, 'a'),
                                        std::string(300, 'a')};
  for (const std::string& name : bad) {
    EXPECT_THAT(
        refusal(fmt::format("app: {}\nservices: {{x: {{command: [x], routes: [/]}}}}\n", name))
            .message,
        HasSubstr("is not a valid name"))
        << name;
    EXPECT_THAT(
        refusal(fmt::format("app: a\nservices: {{{}: {{command: [x], routes: [/]}}}}\n", name))
            .message,
        HasSubstr("is not a valid name"))
        << name;
  }
  EXPECT_TRUE(
      parse_manifest(fmt::format("app: {}\nservices: {{api: {{command: [x], routes: [/]}}}}",
                                 std::string(31, 'a')),
                     "f")
          .has_value());
}

TEST(ManifestTest, FrontendPathsStayInside) {
  const auto frontend = [](std::string_view text) {
    return fmt::format("app: a\nservices: {{x: {{command: [x], routes: [/]}}}}\nfrontend: {}\n",
                       text);
  };
  for (const char* root : {"/web", "..", "web/../..", "\"\"", ".", "web/", "\"a\\nb\"", "a//b"}) {
    EXPECT_THAT(refusal(frontend(fmt::format("{{root: {}}}", root))).message,
                StartsWith("granary.yaml:3:18: frontend.root is not a valid path"))
        << root;
  }
  EXPECT_THAT(refusal(frontend("{root: web, fallback: ../secret}")).message,
              HasSubstr("frontend.fallback is not a valid path"));
  EXPECT_THAT(refusal(frontend("{fallback: index.html}")).message, HasSubstr("lacks the key root"));
  EXPECT_TRUE(parse_manifest(frontend("{root: web/dist}"), "f").has_value());
}

TEST(ManifestTest, SecretsAreNamesSortedAndComeBack) {
  const std::string head = "app: a\nservices: {x: {command: [x], routes: [/]}}\nsecrets: ";
  const auto parsed = parse_manifest(head + "[STRIPE_KEY, API_KEY2]\n", "granary.yaml");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->secrets, (std::vector<std::string>{"API_KEY2", "STRIPE_KEY"}));
  EXPECT_EQ(manifest_from_json(to_json(*parsed)), *parsed);
  for (const char* name : {"stripe", "2KEY", "A-B", "A/B", "''"})
    EXPECT_THAT(refusal(head + "[" + name + "]\n").message,
                HasSubstr("is not a valid name of a secret"));
  EXPECT_THAT(refusal(head + "[A, A]\n").message, HasSubstr("is named twice"));
  EXPECT_THAT(refusal(head + "{A: b}\n").message, HasSubstr("must be a list"));
}

TEST(ManifestTest, AValueOfTheWrongShapeIsShownAsItMustBeWritten) {
  struct Case {
    std::string manifest;
    const char* advice;
  };
  for (const Case& one :
       {Case{with("routes: /api/, /hook"), "Write it in brackets: [/api/, /hook]"},
        Case{with("routes: {a: b}"), "Write it in brackets: [one, two]"},
        Case{with("routes: ','"), "Write it in brackets: [one, two]"},
        Case{with("idle: off"), "Write never, or a whole number and ms, s, m, h or d, such as 60s"},
        Case{with("idle: 8d"), "Write a value from 1s to 7d, or never"},
        Case{with("stop_timeout: off"), "Write a whole number and ms, s, m, h or d, such as 60s"},
        Case{"app: [shop]", "Write it without brackets: shop"},
        Case{"app: {shop: x}", "Write a name, such as shop"},
        Case{"app: ", "Write a name, such as shop"},
        Case{"app: a",
             "Add `services:` with a service below it, or `frontend:` with `root: FOLDER` below "
             "it"}})
    EXPECT_EQ(refusal(one.manifest).advice, one.advice) << one.manifest;
}

TEST(ManifestTest, ACommandIsAListWithAProgram) {
  const auto command = [](std::string_view text) {
    return fmt::format("app: a\nservices:\n  x:\n    command: {}\n    routes: [/]\n", text);
  };
  EXPECT_THAT(refusal(command("python3 -m insight")).message,
              StartsWith("granary.yaml:4:14: services.x.command must be a list"));
  EXPECT_THAT(refusal(command("[]")).message, HasSubstr("names no program"));
  EXPECT_THAT(refusal(command("[\"\", x]")).message, HasSubstr("names no program"));
  EXPECT_THAT(refusal(command("[x, ~]")).message, HasSubstr("command[1] must be a text"));
  std::string many = "[x";
  for (int i = 0; i < 64; ++i) many += ", a";
  EXPECT_THAT(refusal(command(many + "]")).message, HasSubstr("65 items, more than 64"));
  EXPECT_THAT(refusal(command("[" + std::string(40'000, 'x') + "]")).message,
              HasSubstr("has more than"));
  EXPECT_EQ(parse_manifest(command("[sleep, 5]"), "f")->services[0].command[1], "5");
}

TEST(ManifestTest, CyclicAndExplodingAliasesAreRefused) {
  EXPECT_EQ(refusal("app: &a [*a]\n").message,
            "granary.yaml:1:10: this alias refers to something that holds it");
  EXPECT_THAT(refusal("&a app: {b: &b {c: *b}}\n").message, HasSubstr("holds it"));
  std::string laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) laughs += fmt::format("*a{}, ", i - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(refusal(laughs).message, HasSubstr("more than 10000 values"));
  std::string deep = "a0: &a0 x\n";
  for (int i = 1; i < 40; ++i) deep += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  EXPECT_THAT(refusal(deep).message, HasSubstr("nested more than 32 deep"));
}

TEST(ManifestTest, WhatIsNoTextOrTooLongNeverReachesTheParser) {
  EXPECT_THAT(refusal(std::string(10 << 20, 'a')).message,
              StartsWith("granary.yaml:1:1: the manifest is longer than 256 KiB"));
  EXPECT_THAT(refusal(std::string_view("app: a\0b", 8)).message,
              StartsWith("granary.yaml:1:7: byte 0x00"));
  EXPECT_THAT(refusal("app: a\n\x7f"
                      "ELF\x02\x01")
                  .message,
              StartsWith("granary.yaml:2:1: byte"));
  EXPECT_THAT(refusal("app: \xff\xfe").message, HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal("app: \xc0\xaf").message, HasSubstr("not UTF-8"));
}

TEST(ManifestTest, DeepNestingIsRefusedWithoutRecursingIntoIt) {
  EXPECT_THAT(refusal(std::string(250'000, '[')).message, HasSubstr("nested"));
  EXPECT_THAT(refusal(std::string(250'000, '{')).message, HasSubstr("nested"));
  std::string dashes;
  for (int i = 0; i < 120'000; ++i) dashes += "- ";
  EXPECT_THAT(refusal(dashes).message, HasSubstr("nested"));
  std::string lines;
  for (int i = 0; i < 400; ++i) lines += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(refusal(lines).message, HasSubstr("nested"));
  EXPECT_THAT(refusal(std::string(40, '[') + std::string(40, ']')).message, HasSubstr("nested"));
}

TEST(ManifestTest, OneDocumentIsOneManifest) {
  EXPECT_THAT(refusal("").message, HasSubstr("the manifest is empty"));
  EXPECT_THAT(refusal("# nothing\n").message, HasSubstr("empty"));
  EXPECT_THAT(refusal("app: a\n---\napp: b\n").message,
              StartsWith("granary.yaml:2:1: a second document"));
  EXPECT_THAT(refusal("just a text").message, HasSubstr("must be a map, not a text"));
  EXPECT_THAT(refusal("- a\n- b\n").message, HasSubstr("must be a map, not a list"));
  EXPECT_THAT(refusal("null").message, HasSubstr("must be a map, not empty"));
}

TEST(ManifestTest, BrokenYamlIsRefusedAtItsPlace) {
  EXPECT_THAT(refusal("app: a\nservices: [\n").message, StartsWith("granary.yaml:"));
  EXPECT_THAT(refusal("app: a\n\tservices: x\n").message, StartsWith("granary.yaml:2:"));
  EXPECT_THAT(refusal("app: {a: b\n").message, HasSubstr("this is not valid YAML"));
  EXPECT_THAT(refusal("app: *nobody\n").message, HasSubstr("this is not valid YAML"));
  EXPECT_THAT(refusal("app: !!python/object a\n").message, HasSubstr("tag"));
}

TEST(ManifestTest, WhatJsonSaysIsReadBack) {
  for (const std::string_view yaml :
       {kInsight,
        std::string_view("app: b\nservices: {x: {command: [x], routes: [/], idle: never}}")}) {
    const auto manifest = parse_manifest(yaml, "f");
    ASSERT_TRUE(manifest.has_value());
    EXPECT_EQ(*manifest_from_json(to_json(*manifest)), *manifest);
  }
}

TEST(ManifestTest, ServicesHaveTheNamesThatTheAgentReads) {
  const auto manifest = parse_manifest(kInsight, "f");
  EXPECT_EQ(base::json::print(services_to_json(*manifest)),
            R"([{"name":"api","command":["python3","-S","serve.py"],"port":0,"routes":["/api/"],)"
            R"("health":"/api/health","idle_ms":60000,"start_timeout_ms":10000,)"
            R"("stop_timeout_ms":1500,"limits":{"memory_bytes":134217728,"cpu_millis":500,)"
            R"("processes":16,"in_flight":100},"env":{"LOG_LEVEL":"info","QUOTED":"yes",)"
            R"("WORKERS":"4"}}])");
}

TEST(ManifestTest, DamagedJsonIsRefused) {
  const auto good = to_json(*parse_manifest(kInsight, "f"));
  for (const char* member : {"app", "services", "data"}) {
    auto bad = good;
    bad.erase(member);
    EXPECT_EQ(manifest_from_json(bad).error().code, Code::InvalidArgument) << member;
  }
  auto bad = good;
  bad["services"].as_array()[0].as_object()["port"] = 70000;
  EXPECT_FALSE(manifest_from_json(bad).has_value());
  bad["services"].as_array()[0].as_object()["port"] = -1;
  EXPECT_FALSE(manifest_from_json(bad).has_value());
}

TEST(ManifestTest, NoDamagedManifestCrashesTheParser) {
  base::testing::SeededRng rng(11);
  constexpr std::string_view kPieces[] = {
      "[", "]",  "{", "}",  ": ", "- ",    "? ", "&a ",  "*a", "\n", "  ", "|\n",  ">",
      "'", "\"", "#", "!!", "%",  "---\n", "\\", "\xc3", "\t", ",",  "~",  "<<: ", "\r\n"};
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(kInsight);
    for (std::uint64_t edits = 1 + rng.below(6); edits > 0; --edits) {
      const std::size_t at = rng.below(text.size());
      text.replace(at, rng.below(4), kPieces[rng.below(std::size(kPieces))]);
    }
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    taken += testing::fuzz_manifest({bytes, text.size()}) == testing::Verdict::Taken ? 1 : 0;
  }
  // Most edits break it, some (in texts, comments, spaces) do not.
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 15'000);
}

}  // namespace
}  // namespace granary::release

// What of a manifest could never run is refused, where it was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing/temporary_folder.h"
#include "release/manifest.h"

namespace granary::release {
namespace {

using base::Code;
using ::testing::HasSubstr;

base::Error refusal_of(std::string_view yaml) {
  auto parsed = parse_manifest(yaml, "granary.yaml");
  EXPECT_FALSE(parsed.has_value());
  return parsed ? base::Error{} : parsed.error();
}

TEST(ManifestStartTest, AServiceThatNothingStartsIsRefusedAtItsName) {
  for (const char* routes : {"", ", routes: []"}) {
    const base::Error error = refusal_of(fmt::format(
        "app: a\nservices:\n  api: {{command: [x], routes: [/]}}\n  worker: {{command: [y]{}}}\n",
        routes));
    EXPECT_EQ(error.code, Code::InvalidArgument);
    EXPECT_EQ(error.message,
              "granary.yaml:4:3: services.worker has no routes, so nothing would ever start it");
    EXPECT_THAT(error.advice, HasSubstr("routes: [/]"));
    EXPECT_THAT(error.advice, HasSubstr("not supported yet"));
  }
}

TEST(ManifestStartTest, WhatAnEarlierVersionStoredWithoutRoutesIsStillRead) {
  auto manifest = parse_manifest("app: a\nservices: {x: {command: [x], routes: [/]}}", "f");
  ASSERT_TRUE(manifest.has_value());
  manifest->services[0].routes.clear();
  EXPECT_EQ(*manifest_from_json(to_json(*manifest)), *manifest);
}

TEST(ManifestStartTest, AFrontendAloneIsAnApp) {
  const auto parsed = parse_manifest("app: a\nfrontend: {root: web}\n", "f");
  ASSERT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  EXPECT_TRUE(parsed->services.empty());
  EXPECT_EQ(*manifest_from_json(to_json(*parsed)), *parsed);
}

// ---- commands

base::Error refused_command(const std::string& command, const base::testing::TemporaryFolder& app) {
  app.write("granary.yaml",
            fmt::format("app: a\nservices:\n  api:\n    command: {}\n    routes: [/]\n", command));
  const auto loaded = load_manifest(app.path());
  return loaded ? base::Error{} : loaded.error();
}

TEST(ManifestStartTest, ACommandInOneTextIsRefusedWithTheListThatItMustBe) {
  const base::testing::TemporaryFolder app;
  struct Case {
    std::string command;
    std::string list;
  };
  for (const Case& one :
       {Case{"python3 app.py", "[python3, app.py]"},
        Case{"[\"python3 app.py\"]", "[python3, app.py]"},
        Case{"[\"python3 -m app\", --port, \"80\"]", "[python3, -m, app]"},
        Case{"[\"./run.sh --fast\"]", "[./run.sh, --fast]"},
        Case{"[\"/usr/bin/python3 app.py\"]", "[/usr/bin/python3, app.py]"},
        Case{"[\"../x y\"]", "[../x, y]"}, Case{"sh -c \"echo a, b\"", "[sh, -c, 'echo a, b']"}}) {
    const base::Error error = refused_command(one.command, app);
    EXPECT_EQ(error.code, Code::InvalidArgument) << one.command;
    EXPECT_THAT(error.message, HasSubstr("granary.yaml:4:14: services.api.command"));
    EXPECT_THAT(error.message, HasSubstr("one word per list element")) << one.command;
    EXPECT_THAT(error.advice, HasSubstr("command: " + one.list));
  }
}

TEST(ManifestStartTest, AProgramOfTheReleaseMayHaveABlankInItsName) {
  const base::testing::TemporaryFolder app;
  app.write("my app", "#!/bin/sh\n");
  std::filesystem::permissions(app.path() + "/my app", std::filesystem::perms::all);
  EXPECT_EQ(refused_command("[\"./my app\", \"two words\"]", app).message, "");
}

TEST(ManifestStartTest, ACommandThatAnEarlierVersionTookIsStillTaken) {
  const base::testing::TemporaryFolder app;
  refused_command("[\"python3 app.py\"]", app);
  EXPECT_TRUE(load_manifest(app.path(), ManifestAge::Stored).has_value());
}

TEST(ManifestStartTest, AProgramThatCannotBeOfTheReleaseIsRefused) {
  const base::testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/app";
  const auto load = [&](const char* program, ManifestAge age) {
    folder.write("app/granary.yaml", fmt::format("app: a\nservices:\n  api:\n    command: [{}]\n"
                                                 "    routes: [/]\n",
                                                 program));
    const auto loaded = load_manifest(path, age);
    return loaded ? base::Error{} : loaded.error();
  };
  for (const char* program : {"../x", "./../x", "bin/../../x", "bin/..", "..", ".", "./", "bin/"}) {
    const base::Error error = load(program, ManifestAge::New);
    EXPECT_EQ(error.code, Code::InvalidArgument) << program;
    EXPECT_THAT(error.message, HasSubstr("granary.yaml:4:14: services.api.command: "));
    EXPECT_THAT(error.message, HasSubstr("is not the path of a program of the release"));
    EXPECT_THAT(error.advice, HasSubstr("into the app's folder"));
    EXPECT_EQ(load(program, ManifestAge::Stored).message, "") << "an earlier version took it";
  }
  EXPECT_THAT(load("bin/x", ManifestAge::New).message, HasSubstr("not a file of the release"));
  // Whether the machine has them, only the machine knows.
  for (const char* program : {"python3", "/usr/bin/python3", "/app/x"})
    EXPECT_EQ(load(program, ManifestAge::New).message, "") << program;
}

TEST(ManifestStartTest, ATabInTheIndentationIsNamedWithItsLine) {
  for (const char* yaml : {"app: a\nservices:\n\tapi:\n\t\tcommand: [x]\n",
                           "app: a\nservices:\n  api:\n  \t  command: [x]\n    routes: [/]\n"}) {
    const base::Error error = refusal_of(yaml);
    EXPECT_THAT(error.message, HasSubstr("tabs are not allowed for indentation")) << yaml;
    EXPECT_THAT(error.message, ::testing::MatchesRegex("granary.yaml:[34]:[0-9]+: .*"));
    EXPECT_EQ(error.advice, "Use spaces");
  }
  EXPECT_TRUE(parse_manifest("app:\ta\nfrontend: {root:\tweb}\n", "f").has_value());
}

}  // namespace
}  // namespace granary::release

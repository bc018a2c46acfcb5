#include "agent/command_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing/temporary_folder.h"

namespace granary::agent {
namespace {

using base::testing::TemporaryFolder;
using ::testing::HasSubstr;

class CommandCheckTest : public ::testing::Test {
 protected:
  CommandCheckTest() {
    machine_.write("usr/bin/python3",
                   "\x7f"
                   "ELF",
                   0755);
    machine_.write("usr/bin/env",
                   "\x7f"
                   "ELF",
                   0755);
    machine_.write("usr/bin/readme", "", 0644);
  }
  base::Result<void> check(std::vector<std::string> command,
                           std::map<std::string, std::string> env = {}) {
    wire::ServiceSpec service;
    service.name = "web";
    service.command = std::move(command);
    service.env = std::move(env);
    return check_command(service, release_.path(), machine_.path());
  }
  std::string refusal(const std::string& program) {
    const auto checked = check({program});
    EXPECT_FALSE(checked.has_value()) << program;
    if (checked) return "";
    EXPECT_EQ(checked.error().code, base::Code::InvalidArgument);
    EXPECT_FALSE(checked.error().advice.empty());
    return checked.error().message;
  }

  TemporaryFolder release_;
  TemporaryFolder machine_;
};

TEST_F(CommandCheckTest, ProgramsOfThisMachineAndOfTheReleaseAreFound) {
  release_.write("bin/run",
                 "\x7f"
                 "ELF",
                 0755);
  EXPECT_TRUE(check({"python3", "-m", "app"}).has_value());
  EXPECT_TRUE(check({"/usr/bin/python3"}).has_value());
  for (const char* program : {"bin/run", "./bin/run", "/app/bin/run"})
    EXPECT_TRUE(check({program}).has_value()) << program;
}

TEST_F(CommandCheckTest, WhatIsNowhereIsNamedWithWhereItWasLookedFor) {
  const std::string message = refusal("nosuchprog");
  EXPECT_THAT(message, HasSubstr("service web"));
  EXPECT_THAT(message, HasSubstr("'nosuchprog' is in no folder of PATH"));
  EXPECT_THAT(message, HasSubstr("/usr/bin"));
  EXPECT_THAT(refusal("bin/nothing"), HasSubstr("there is no file 'bin/nothing'"));
  EXPECT_THAT(refusal("/usr/bin/nothing"), HasSubstr("there is no file"));
  EXPECT_THAT(refusal("/opt/node/bin/node"), HasSubstr("a silo has no '/opt/node/bin/node'"));
  EXPECT_THAT(refusal("readme"), HasSubstr("in no folder of PATH"));
  EXPECT_THAT(refusal("/usr/bin/readme"), HasSubstr("cannot be executed"));
}

TEST_F(CommandCheckTest, TheServicesOwnPathIsUsed) {
  release_.write("bin/run",
                 "\x7f"
                 "ELF",
                 0755);
  EXPECT_TRUE(check({"run"}, {{"PATH", "/app/bin:/usr/bin"}}).has_value());
  EXPECT_FALSE(check({"python3"}, {{"PATH", "/app/bin"}}).has_value());
}

TEST_F(CommandCheckTest, WhatTheAppMayPutThereItselfIsNotJudged) {
  EXPECT_TRUE(check({"/data/bin/tool"}).has_value());
  EXPECT_TRUE(check({"tool"}, {{"PATH", "/usr/bin:/data/bin"}}).has_value());
}

TEST_F(CommandCheckTest, AScriptNeedsItsInterpreter) {
  release_.write("good", "#!/usr/bin/python3 -S\n", 0755);
  release_.write("by-env", "#!/usr/bin/env -S python3 -u\n", 0755);
  release_.write("windows", "#!/usr/bin/env python3\r\n", 0755);
  release_.write("bad", "#!/usr/local/bin/ruby\n", 0755);
  release_.write("bad-env", "#!/usr/bin/env node\n", 0755);
  for (const char* program : {"./good", "./by-env"})
    EXPECT_TRUE(check({program}).has_value()) << program;
  EXPECT_THAT(refusal("./bad"), HasSubstr("the interpreter of './bad' was not found"));
  EXPECT_THAT(refusal("./windows"), HasSubstr("Windows line ends"));
  EXPECT_THAT(refusal("./bad-env"), HasSubstr("'node' is in no folder of PATH"));
}

TEST_F(CommandCheckTest, LinksAreFollowedWhereTheSiloCanFollowThem) {
  release_.write("node_modules/a/cli.js", "#!/usr/bin/env python3\n", 0755);
  release_.write("node_modules/.bin/x", "");
  ASSERT_EQ(::unlink((release_ / "node_modules/.bin/x").c_str()), 0);
  ASSERT_EQ(::symlink("../a/cli.js", (release_ / "node_modules/.bin/x").c_str()), 0);
  EXPECT_TRUE(check({"node_modules/.bin/x"}).has_value());
  machine_.write("opt/node",
                 "\x7f"
                 "ELF",
                 0755);
  ASSERT_EQ(::symlink((machine_ / "opt/node").c_str(), (machine_ / "usr/bin/node").c_str()), 0);
  EXPECT_THAT(refusal("node"), HasSubstr("is a link to '/opt/node', which a silo does not have"));
}

}  // namespace
}  // namespace granary::agent

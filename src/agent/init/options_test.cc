#include "agent/init/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace granary::init {
namespace {

// Keeps the strings that parsed options point into.
struct CommandLine {
  explicit CommandLine(std::vector<std::string> words) : texts(std::move(words)) {
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }
  std::expected<Options, OptionsError> parse() {
    return parse_options(std::span(pointers).first(texts.size()));
  }
  std::vector<std::string> texts;
  std::vector<char*> pointers;
};

std::vector<std::string> with(std::vector<std::string> before, std::vector<std::string> command) {
  before.insert(before.end(), command.begin(), command.end());
  return before;
}

const std::vector<std::string> kComplete = {"--listen", "8080",        "--stop-timeout",
                                            "1500",     "--log-bytes", "1048576"};

TEST(InitOptionsTest, ReadsTheCommandLineTheAgentWrites) {
  CommandLine line(with(kComplete, {"--workdir", "/data", "--", "python3", "-m", "insight"}));
  const auto options = line.parse();
  ASSERT_TRUE(options);
  EXPECT_EQ(options->listen, Listen::Port);
  EXPECT_EQ(options->port, 8080);
  EXPECT_EQ(options->stop_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(options->log_bytes, 1048576u);
  EXPECT_STREQ(options->workdir, "/data");
  EXPECT_STREQ(options->command[0], "python3");
  EXPECT_STREQ(options->command[2], "insight");
  EXPECT_EQ(options->command[3], nullptr);
}

TEST(InitOptionsTest, RunsInAppUnlessToldOtherwise) {
  CommandLine line(with(kComplete, {"--", "true"}));
  ASSERT_TRUE(line.parse());
  EXPECT_STREQ(line.parse()->workdir, "/app");
}

TEST(InitOptionsTest, HasAWayOutOnlyWhenItIsTold) {
  CommandLine without(with(kComplete, {"--", "true"}));
  EXPECT_EQ(without.parse()->egress, nullptr);
  CommandLine line(with(kComplete, {"--egress", "/run/egress/egress.sock", "--", "true"}));
  EXPECT_STREQ(line.parse()->egress, "/run/egress/egress.sock");
  EXPECT_EQ(without.parse()->watches, Options::Watches::Free);
  CommandLine guarded(with(kComplete, {"--watches", "guarded", "--", "true"}));
  EXPECT_EQ(guarded.parse()->watches, Options::Watches::Guarded);
  EXPECT_EQ(without.parse()->empty, nullptr);
  CommandLine emptied(with(kComplete, {"--empty", "/var/tmp", "--", "true"}));
  EXPECT_STREQ(emptied.parse()->empty, "/var/tmp");
  CommandLine wrong(with(kComplete, {"--egress", "egress.sock", "--", "true"}));
  EXPECT_STREQ(wrong.parse().error().option, "--egress");
}

TEST(InitOptionsTest, LeavesTheAppsOwnOptionsAlone) {
  CommandLine line({"--listen", "fd", "--stop-timeout", "0", "--log-bytes", "32768", "--", "app",
                    "--listen", "--", "x"});
  const auto options = line.parse();
  ASSERT_TRUE(options);
  EXPECT_EQ(options->listen, Listen::Descriptor);
  EXPECT_STREQ(options->command[1], "--listen");
  EXPECT_STREQ(options->command[2], "--");
}

struct WrongLine {
  std::vector<std::string> words;
  std::string blamed;
};
class WrongInitOptionsTest : public testing::TestWithParam<WrongLine> {};

TEST_P(WrongInitOptionsTest, NamesTheOptionThatIsWrong) {
  CommandLine line(GetParam().words);
  const auto options = line.parse();
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().option, GetParam().blamed);
  EXPECT_NE(std::string(options.error().problem), "");
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongInitOptionsTest,
    testing::Values(
        WrongLine{{}, "--listen"}, WrongLine{{"--listen"}, "--listen"},
        WrongLine{{"--listen", "0", "--", "x"}, "--listen"},
        WrongLine{{"--listen", "65536", "--", "x"}, "--listen"},
        WrongLine{{"--listen", "80x", "--", "x"}, "--listen"},
        WrongLine{{"--listen", "fd", "--log-bytes", "99999", "--", "x"}, "--stop-timeout"},
        WrongLine{{"--listen", "fd", "--stop-timeout", "-1", "--", "x"}, "--stop-timeout"},
        WrongLine{{"--listen", "fd", "--stop-timeout", "3600001", "--", "x"}, "--stop-timeout"},
        WrongLine{{"--listen", "fd", "--stop-timeout", "1", "--", "x"}, "--log-bytes"},
        WrongLine{{"--log-bytes", "32767", "--", "x"}, "--log-bytes"},
        WrongLine{{"--workdir", "app", "--", "x"}, "--workdir"},
        WrongLine{{"--verbose", "1", "--", "x"}, "--verbose"}, WrongLine{kComplete, "--"},
        WrongLine{with(kComplete, {"--"}), "--"}, WrongLine{with(kComplete, {"--", ""}), "--"}));

}  // namespace
}  // namespace granary::init

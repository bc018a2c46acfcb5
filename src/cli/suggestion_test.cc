#include "cli/suggestion.h"

#include <gtest/gtest.h>

#include "cli/testing/command_line.h"

namespace granary::cli {
namespace {

using testing::CommandLine;
using testing::Ran;

TEST(SuggestionTest, TheNearestWordIsFoundAndNoneThatIsFar) {
  const std::vector<std::string> known = {"create", "list", "update", "up", "doctor"};
  EXPECT_EQ(nearest("creat", known), "create");
  EXPECT_EQ(nearest("lsit", known), "list");
  EXPECT_EQ(nearest("upp", known), "up");
  EXPECT_EQ(nearest("upd", known), "update");
  EXPECT_EQ(nearest("doc", known), "doctor");
  EXPECT_EQ(nearest("frobnicate", known), "");
  EXPECT_EQ(nearest("", known), "");
}

struct Typed {
  std::vector<std::string> words;
  std::string message;
  std::string advice;
};

class MistypedTest : public ::testing::TestWithParam<Typed> {};

TEST_P(MistypedTest, IsToldWithWhatWasPerhapsMeant) {
  CommandLine line;
  const Ran ran = line.run(GetParam().words);
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err.find("granary: " + GetParam().message), 0U) << ran.err;
  EXPECT_NE(ran.err.find("\n  to do:  " + GetParam().advice), std::string::npos) << ran.err;
}

INSTANTIATE_TEST_SUITE_P(
    CommandLines, MistypedTest,
    ::testing::Values(
        Typed{{"statsu"}, "there is no command 'granary statsu'", "Did you mean granary status? "},
        Typed{{"tenant", "creat", "x"},
              "there is no command 'granary tenant creat'",
              "Did you mean granary tenant create? granary tenant --help "},
        Typed{{"tenant", "create", "x", "--paln", "y"},
              "granary tenant create has no option '--paln'",
              "Did you mean --plan? granary tenant create --help "},
        Typed{{"status", "--token=x", "--unhealty"},
              "granary status has no option '--unhealty'",
              "Did you mean --unhealthy? "},
        Typed{{"tenant", "list", "--outptu", "json"},
              "granary tenant list has no option '--outptu'",
              "Did you mean --output? "},
        Typed{{"frobnicate"}, "there is no command 'granary frobnicate'", "granary --help "},
        Typed{{"tenant", "list", "extra"},
              "granary tenant list does not take 'extra'",
              "granary tenant list --help "},
        Typed{{"tenant"},
              "granary tenant is to be followed by a command: create, list, ",
              "granary tenant --help "},
        Typed{{"tenant", "create"},
              "granary tenant create: TENANT is required",
              "granary tenant create --help "}));

}  // namespace
}  // namespace granary::cli

#include "app/config_file.h"

#include <gtest/gtest.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::app {
namespace {

class ConfigFileTest : public ::testing::Test {
 protected:
  ConfigFileTest() : command_("test", "up") {
    command_.add_option("--domain", domain_);
    command_.add_option("--uid-base", uid_base_);
  }
  base::Result<void> apply(const std::string& text) {
    const std::string path = folder_.path() + "/granary.toml";
    EXPECT_TRUE(base::os::replace_file(path, text, 0600, base::os::Durability::Cached).has_value());
    return apply_config_file(command_, path);
  }

  base::testing::TemporaryFolder folder_;
  CLI::App command_;
  std::string domain_ = "localhost";
  unsigned uid_base_ = 1;
};

TEST_F(ConfigFileTest, LinesSetOptions) {
  command_.parse("", false);
  ASSERT_TRUE(apply("# mine\ndomain = \"example.com\"\nuid-base = 300000\n").has_value());
  EXPECT_EQ(domain_, "example.com");
  EXPECT_EQ(uid_base_, 300'000U);
}

TEST_F(ConfigFileTest, TheCommandLineWins) {
  command_.parse("--domain there.example", false);
  ASSERT_TRUE(apply("domain = \"example.com\"\n").has_value());
  EXPECT_EQ(domain_, "there.example");
}

TEST_F(ConfigFileTest, UnknownOptionsAndBadValuesAreNamed) {
  command_.parse("", false);
  EXPECT_NE(apply("domian = \"x\"\n").error().message.find("domian"), std::string::npos);
  EXPECT_NE(apply("uid-base = \"many\"\n").error().message.find("uid-base"), std::string::npos);
  EXPECT_NE(apply("[section]\ndomain = \"x\"\n").error().code, base::Code::NotFound);
  const base::Error none = apply_config_file(command_, folder_.path() + "/none").error();
  EXPECT_EQ(none.code, base::Code::NotFound);
  EXPECT_NE(none.message.find("the file of --config cannot be read"), std::string::npos);
  EXPECT_NE(none.advice.find("domain = "), std::string::npos);
}

}  // namespace
}  // namespace granary::app

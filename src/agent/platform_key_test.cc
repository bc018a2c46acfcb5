#include "agent/platform_key.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_folder.h"

namespace granary::agent {
namespace {

class PlatformKeyTest : public ::testing::Test {
 protected:
  PlatformKeyTest() {
    EXPECT_TRUE(base::os::make_folders(paths_.keys(), 0700).has_value());
    EXPECT_TRUE(base::os::make_folders(paths_.account(base::AccountId("acme")), 0700).has_value());
  }
  base::testing::TemporaryFolder folder_;
  wire::Paths paths_{folder_.path()};
};

TEST_F(PlatformKeyTest, TheFirstStartMakesIt) {
  ASSERT_TRUE(open_platform_key(paths_).has_value());
  EXPECT_TRUE(base::os::exists(paths_.platform_key()));
  EXPECT_TRUE(open_platform_key(paths_).has_value());
}

TEST_F(PlatformKeyTest, ALostOneIsNotReplacedWhileSomethingWasSealedWithIt) {
  for (const char* sealed : {"disk.key", "secrets.7.sealed"}) {
    folder_.write(std::string("accounts/acme/") + sealed, "x");
    const auto opened = open_platform_key(paths_);
    ASSERT_FALSE(opened.has_value()) << sealed;
    EXPECT_EQ(opened.error().code, base::Code::DataLoss);
    EXPECT_NE(opened.error().advice.find("Restore it from a backup"), std::string::npos);
    EXPECT_FALSE(base::os::exists(paths_.platform_key()));
    ASSERT_TRUE(base::os::remove_file(folder_ / (std::string("accounts/acme/") + sealed)));
  }
  folder_.write("accounts/acme/account.json", "{}");
  EXPECT_TRUE(open_platform_key(paths_).has_value());
}

}  // namespace
}  // namespace granary::agent

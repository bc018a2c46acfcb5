#include "app/layout.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing/temporary_folder.h"

namespace granary::app {
namespace {

using base::Code;

class LayoutTest : public ::testing::Test {
 protected:
  LayoutTest() {
    config_.data_dir = folder_ / "data";
    config_.uid_base = ::getuid();
  }
  base::testing::TemporaryFolder folder_;
  Config config_;
};

TEST_F(LayoutTest, ADataDirectoryIsMadeWhereThereIsNone) {
  ASSERT_TRUE(open_data_dir(config_).has_value());
  EXPECT_TRUE(base::os::exists(config_.data_dir));
  EXPECT_TRUE(open_data_dir(config_).has_value());
}

TEST_F(LayoutTest, AnotherUidBaseThanItsOwnIsRefusedAndItsOwnIsNamed) {
  ASSERT_TRUE(base::os::make_folders(wire::Paths(config_.data_dir).control(), 0700).has_value());
  EXPECT_TRUE(open_data_dir(config_).has_value());
  if (::getuid() != 0) GTEST_SKIP() << "who is not root has one user alone";
  config_.uid_base = 300'000;
  const auto refused = open_data_dir(config_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::InvalidArgument);
  EXPECT_NE(refused.error().message.find("belongs to --uid-base 0, not to 300000"),
            std::string::npos)
      << refused.error().message;
}

TEST_F(LayoutTest, UsersOfTheMachineAreNotTakenForRolesAndAccounts) {
  const std::string passwd =
      "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nbroken\n"
      "ann:x:500000:500000::/home/ann:/bin/sh\n";
  for (const std::uint32_t free : {100'000U, 200'000U, 300'000U, 500'001U, 4'000'000'000U})
    EXPECT_TRUE(check_users(free, passwd).has_value()) << free;
  for (const std::uint32_t taken : {0U, 5U, 65'534U, 99'999U, 300'001U, 500'000U, 4'294'967'295U})
    EXPECT_EQ(check_users(taken, passwd).error().code, Code::InvalidArgument) << taken;
  const std::string said = check_users(400'000, passwd).error().message;
  EXPECT_NE(said.find("'ann' is user 500000"), std::string::npos) << said;
}

TEST_F(LayoutTest, OneThatWasMadeForOtherUsersGoesOnWithThem) {
  if (::getuid() != 0) GTEST_SKIP() << "who is not root has one user alone";
  config_.uid_base = 5;
  EXPECT_EQ(check_uid_base(config_).error().code, Code::InvalidArgument);
  ASSERT_TRUE(base::os::make_folders(wire::Paths(config_.data_dir).control(), 0700).has_value());
  EXPECT_TRUE(check_uid_base(config_).has_value());
}

TEST_F(LayoutTest, AFolderWithOtherThingsInItIsLeftAlone) {
  folder_.write("data/notes.txt", "mine");
  const auto refused = open_data_dir(config_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::InvalidArgument);
  EXPECT_NE(refused.error().message.find("'notes.txt'"), std::string::npos);
}

TEST_F(LayoutTest, ANewDiskAndKeysThatWereRestoredFirstAreNoOtherThings) {
  folder_.write("data/keys/platform.key", "k");
  ASSERT_TRUE(base::os::make_folders(config_.data_dir + "/lost+found", 0700).has_value());
  EXPECT_TRUE(open_data_dir(config_).has_value());
}

TEST_F(LayoutTest, WhatAFailedStartMadeIsTakenAwayWithTheParentsThatItMade) {
  config_.data_dir = folder_ / "new/deep/data";
  const std::string first = first_new_folder(config_);
  EXPECT_EQ(first, folder_ / "new");
  ASSERT_TRUE(prepare_layout(config_).has_value());
  EXPECT_EQ(first_new_folder(config_), "");
  remove_empty_layout(config_, "");
  EXPECT_TRUE(base::os::exists(config_.data_dir)) << "it was there before";
  remove_empty_layout(config_, first);
  EXPECT_FALSE(base::os::exists(folder_ / "new"));
  EXPECT_TRUE(base::os::exists(folder_.path()));
}

TEST_F(LayoutTest, WhatHoldsAnythingIsNotTakenAway) {
  const std::string first = first_new_folder(config_);
  ASSERT_TRUE(prepare_layout(config_).has_value());
  folder_.write("data/keys/platform.key", "k");
  remove_empty_layout(config_, first);
  EXPECT_TRUE(base::os::exists(config_.data_dir + "/keys/platform.key"));
}

TEST_F(LayoutTest, APathThatIsNotAbsoluteIsRefused) {
  for (const char* bad : {"data", "/", "", "/var/lib/granary/"}) {
    config_.data_dir = bad;
    EXPECT_EQ(open_data_dir(config_).error().code, Code::InvalidArgument) << bad;
    EXPECT_EQ(first_new_folder(config_), "") << bad;
  }
}

}  // namespace
}  // namespace granary::app

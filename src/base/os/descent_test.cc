#include "base/os/descent.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

class DescentTest : public ::testing::Test {
 protected:
  // Folders in folders, each with a file, and where it then stands.
  Descent made(std::size_t depth) const {
    Descent way(Folder::open(root_).value());
    for (std::size_t i = 0; i < depth; ++i) {
      EXPECT_TRUE(way.here().make_file("leaf", 0600).has_value());
      EXPECT_TRUE(way.enter(way.here().make_folder("d", 0700).value()).has_value());
    }
    return way;
  }
  static std::size_t descriptors() { return list_folder("/proc/self/fd").value().size(); }

  testing::TemporaryFolder folder_;
  const std::string root_ = folder_.path();
};

TEST_F(DescentTest, HoldsFewDescriptorsHoweverDeepItGoesAndFindsItsWayBack) {
  const std::size_t before = descriptors();
  constexpr std::size_t kDeep = 2'100;  // 4,200 bytes: more than a path may have
  Descent way = made(kDeep);
  EXPECT_EQ(way.depth(), kDeep);
  EXPECT_LE(descriptors(), before + kDescentHeld + 1);
  EXPECT_EQ(way.here().names(10)->size(), 0U);
  for (std::size_t i = 0; i < kDeep; ++i) {
    ASSERT_TRUE(way.leave().has_value()) << i;
    ASSERT_EQ(way.here().names(10).value(), (std::vector<std::string>{"d", "leaf"}));
  }
  EXPECT_EQ(way.depth(), 0U);
}

TEST_F(DescentTest, AFolderThatWasMovedIsNotTakenForTheWayBack) {
  Descent way = made(kDescentHeld + 2);
  ASSERT_EQ(::mkdir((root_ + "/other").c_str(), 0700), 0);
  // The parent of the highest folder that is held is another one now.
  ASSERT_EQ(::rename((root_ + "/d/d/d").c_str(), (root_ + "/other/d").c_str()), 0);
  for (std::size_t i = 1; i < kDescentHeld; ++i) ASSERT_TRUE(way.leave().has_value());
  const auto lost = way.leave();
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, Code::Conflict);
  EXPECT_EQ(way.depth(), 0U);
  EXPECT_EQ(way.here().names(10).value(), (std::vector<std::string>{"d", "leaf", "other"}));
}

TEST_F(DescentTest, ATreeIsRemovedHoweverDeepAndWideItIs) {
  (void)made(1'500);
  const Folder wide = Folder::open(root_)->make_folder("wide", 0700).value();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(wide.make_file(fmt::format("f{}", i), 0600).has_value());
    ASSERT_TRUE(wide.make_folder(fmt::format("d{}", i), i % 2 == 0 ? 0700 : 0).has_value());
  }
  ASSERT_EQ(::mkdir((root_ + "/kept").c_str(), 0700), 0);
  ASSERT_TRUE(Folder::open(root_ + "/kept")->make_file("precious", 0600).has_value());
  ASSERT_TRUE(wide.make_link("link", root_ + "/kept").has_value());
  for (const char* name : {"/wide", "/d", "/nothing", "/leaf"})
    EXPECT_TRUE(remove_tree(root_ + name).has_value()) << name;
  EXPECT_EQ(list_folder(root_).value(), std::vector<std::string>{"kept"});
  EXPECT_TRUE(exists(root_ + "/kept/precious"));
}

}  // namespace
}  // namespace granary::base::os

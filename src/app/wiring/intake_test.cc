#include "app/wiring/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/os/system.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"
#include "store/testing/temporary_store.h"

namespace granary::app {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class BundleIntakeTest : public ::testing::Test {
 protected:
  BundleIntakeTest() {
    std::filesystem::create_directories(paths_.bundles());
    std::filesystem::create_directories(paths_.frontends());
    world_.clock.jump_wall(base::os::SystemClock().wall() - world_.clock.wall());
  }
  std::vector<std::string> listed() {
    std::vector<std::string> hashes;
    const auto found = world_.run(intake_.list());
    EXPECT_TRUE(found.has_value());
    for (const auto& one : found.value_or(std::vector<lifecycle::ReleaseFiles::Found>())) {
      EXPECT_LT(std::chrono::abs(one.age), std::chrono::minutes(10));
      hashes.push_back(one.hash);
    }
    return hashes;
  }

  base::testing::World world_;
  base::testing::TemporaryFolder folder_;
  store::testing::TemporaryStore store_;
  wire::Paths paths_{folder_.path()};
  BundleIntake intake_{
      world_.executor(), {store_.get(), world_.worker, world_.clock, world_.rng}, paths_};
};

TEST_F(BundleIntakeTest, FilesOfReleasesAreListedWhetherABundleOrAFrontend) {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  folder_.write("bundles/" + a + ".tar.zst", "bundle");
  folder_.write("bundles/notes.txt", "somebody's");
  std::filesystem::create_directories(paths_.frontend(a));
  std::filesystem::create_directories(paths_.frontend(b));
  EXPECT_THAT(listed(), UnorderedElementsAre(a, b));
  ASSERT_TRUE(world_.run(intake_.remove(b)).has_value());
  EXPECT_THAT(listed(), ElementsAre(a));
  ASSERT_TRUE(world_.run(intake_.remove(a)).has_value());
  EXPECT_THAT(listed(), ElementsAre());
  EXPECT_TRUE(std::filesystem::exists(paths_.bundles() + "/notes.txt"));
}

TEST_F(BundleIntakeTest, WhatAReleaseWasBeingMadeInIsGoneAfterACrash) {
  const std::string work = paths_.bundles() + "/.work-01HZZZZZZZZZZZZZZZZZZZZZZZ";
  std::filesystem::create_directories(work + "/tree");
  EXPECT_THAT(listed(), ElementsAre());
  EXPECT_FALSE(std::filesystem::exists(work));
}

}  // namespace
}  // namespace granary::app

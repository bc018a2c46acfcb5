#include "base/os/watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

TEST(WatchTest, AFileRenamedIntoPlaceIsTold) {
  const granary::base::testing::TemporaryFolder folder;
  const Fd watch = std::move(watch_folder(folder.path()).value());
  char events[4096];
  EXPECT_EQ(::read(watch.get(), events, sizeof(events)), -1);
  folder.write("routing.json", "{}");
  EXPECT_GT(::read(watch.get(), events, sizeof(events)), 0);
}

TEST(WatchTest, AMissingFolderIsNotFound) {
  const granary::base::testing::TemporaryFolder folder;
  auto watch = watch_folder(folder / "none");
  ASSERT_FALSE(watch.has_value());
  EXPECT_EQ(watch.error().code, Code::NotFound);
}

}  // namespace
}  // namespace granary::base::os

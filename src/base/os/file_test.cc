#include "base/os/file.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

TEST(FileTest, AppendingMakesTheFileAndTellsItsSize) {
  const granary::base::testing::TemporaryFolder folder;
  EXPECT_EQ(append_file(folder / "log", "one\n", 0600).value(), 4U);
  EXPECT_EQ(append_file(folder / "log", "two\n", 0600).value(), 8U);
  EXPECT_EQ(read_file(folder / "log", 100).value(), "one\ntwo\n");
}

}  // namespace
}  // namespace granary::base::os

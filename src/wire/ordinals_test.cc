#include "wire/ordinals.h"

#include <gtest/gtest.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::wire {
namespace {

TEST(OrdinalsTest, WhatIsMissingIsFoundInItsRanges) {
  const OrdinalRanges gone = missing({4, 8, 6, 7, 9}, 11);
  EXPECT_EQ(gone, (OrdinalRanges{{1, 3}, {5, 5}, {10, 11}}));
  for (const std::uint32_t ordinal : {1U, 2U, 3U, 5U, 10U, 11U})
    EXPECT_TRUE(contains(gone, ordinal)) << ordinal;
  for (const std::uint32_t ordinal : {0U, 4U, 6U, 7U, 9U, 12U, 4'294'967'295U})
    EXPECT_FALSE(contains(gone, ordinal)) << ordinal;
  EXPECT_TRUE(missing({1, 2}, 2).empty());
  EXPECT_TRUE(missing({}, 0).empty());
  EXPECT_EQ(missing({}, 2), (OrdinalRanges{{1, 2}}));
  EXPECT_FALSE(contains({}, 1));
}

TEST(OrdinalsTest, RangesSurviveTheirText) {
  const OrdinalRanges gone = {{1, 3}, {5, 5}, {10, 4'294'967'295}};
  const base::json::object written{{"gone", to_json(gone)}};
  EXPECT_EQ(ranges_from(written, "gone").value(), gone);
}

TEST(OrdinalsTest, WhatIsNotExactlyRangesIsRefused) {
  for (const char* text : {"[[1,3],[4,4]]", "[[1,3],[3,5]]", "[[5,5],[1,3]]", "[[3,1]]", "[[1]]",
                           "[[1,2,3]]", "[[-1,3]]", "[[1,\"3\"]]", "[7]", "7", "null",
                           "[[1,4294967296]]", "[[1,1.5]]", "[[1,4294967295],[0,0]]"}) {
    const auto document = base::json::parse_object(fmt::format("{{\"gone\": {}}}", text), 1000);
    ASSERT_TRUE(document.has_value()) << text;
    EXPECT_FALSE(ranges_from(*document, "gone").has_value()) << text;
  }
  EXPECT_FALSE(ranges_from({}, "gone").has_value());
}

TEST(OrdinalsTest, ALogTellsWhoseItIsAndOtherFilesDoNot) {
  EXPECT_EQ(ordinal_of_log("acme.17.log"), 17U);
  EXPECT_EQ(ordinal_of_log("acme.17.log.1"), 17U);
  for (const char* name : {"acme.log", "17.log", ".17.log", "acme.17", "acme.17.log.2", "a.x.log",
                           "a..log", "a.-1.log", "a.4294967296.log", "usage.json", ""})
    EXPECT_EQ(ordinal_of_log(name), std::nullopt) << name;
}

TEST(OrdinalsTest, LogsOfWhoIsGoneAreRemovedAndNothingElse) {
  const base::testing::TemporaryFolder folder;
  const char* stay[] = {"acme.4.log", "acme.log", "usage.json"};
  const char* go[] = {"acme.2.log", "acme.2.log.1", "globex.3.log"};
  for (const char* name : stay) folder.write(name, "x");
  for (const char* name : go) folder.write(name, "x");
  EXPECT_TRUE(remove_logs(folder.path(), {{2, 3}}).has_value());
  for (const char* name : stay) EXPECT_TRUE(base::os::exists(folder / name)) << name;
  for (const char* name : go) EXPECT_FALSE(base::os::exists(folder / name)) << name;
  EXPECT_FALSE(remove_logs(folder / "none", {{2, 3}}).has_value());
}

}  // namespace
}  // namespace granary::wire

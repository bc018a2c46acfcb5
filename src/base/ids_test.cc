#include "base/ids.h"

#include <gtest/gtest.h>

#include "base/testing/world.h"

namespace granary::base {
namespace {

const WallTime kTime = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

TEST(SlugTest, GoodNamesAreTakenAsTheyAre) {
  for (const char* name : {"a", "acme", "acme-2", "x0", "abcdefghijklmnopqrstuvwxyz01234"})
    EXPECT_EQ(parse_slug(name, "name").value_or("refused"), name);
}

TEST(SlugTest, BadNamesAreRefusedWithTheRuleAndAdvice) {
  for (const char* name : {"", "Acme", "9lives", "a_b", "a--b", "a-", "..", "www", "a b", "\n",
                           "abcdefghijklmnopqrstuvwxyz012345"}) {
    const auto refused = parse_slug(name, "tenant name");
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().code, Code::InvalidArgument);
    EXPECT_FALSE(refused.error().advice.empty());
    EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
  }
}

TEST(UlidTest, LooksAsSpecifiedAndSortsByTime) {
  testing::SeededRng rng(1);
  const std::string early = make_ulid(kTime, rng);
  const std::string late = make_ulid(kTime + std::chrono::milliseconds(1), rng);
  EXPECT_TRUE(is_ulid(early));
  EXPECT_LT(early, late);
  EXPECT_FALSE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAI"));  // I is not in the alphabet
}

TEST(UlidTest, ASequenceNeverGoesBack) {
  testing::SeededRng rng(1);
  UlidSequence sequence;
  sequence.raise("01M85DMBZ8ZZZZZZZZZZZZZZZZ");
  std::string last = "01M85DMBZ8ZZZZZZZZZZZZZZZZ";
  for (int i = 0; i < 100; ++i) {
    const std::string next = sequence.next(kTime - std::chrono::hours(i), rng);
    EXPECT_LT(last, next);
    EXPECT_TRUE(is_ulid(next));
    last = next;
  }
}

}  // namespace
}  // namespace granary::base

#include "base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace granary::base {
namespace {

TEST(TextTest, TakesWellFormedUtf8) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xbe"));
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));  // U+10FFFF, the last one
}

TEST(TextTest, RefusesWhatOnlyLooksLikeUtf8) {
  EXPECT_FALSE(is_utf8("\xff\xfe"));
  EXPECT_FALSE(is_utf8("\x80"));  // a continuation alone
  EXPECT_FALSE(is_utf8("\xc3"));  // cut short
  EXPECT_FALSE(is_utf8("\xc3("));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));          // an overlong slash
  EXPECT_FALSE(is_utf8("\xe0\x80\xaf"));      // the same in three bytes
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));  // past U+10FFFF
}

TEST(TextTest, FindsControlCharactersAndDirectionMarks) {
  EXPECT_TRUE(is_printable_utf8("r\xc3\xa9sum\xc3\xa9 2.txt"));
  EXPECT_FALSE(is_printable_utf8("a\nb"));
  EXPECT_FALSE(is_printable_utf8("a\x1b[2J"));
  EXPECT_FALSE(is_printable_utf8("a\x7f"));
  EXPECT_FALSE(is_printable_utf8("a\xc2\x85"));  // NEL, a C1 control
  EXPECT_FALSE(
      is_printable_utf8("gpj.\xe2\x80\xae"
                        "exe"));  // right-to-left override
  EXPECT_FALSE(is_printable_utf8(std::string_view("a\0b", 3)));
}

TEST(TextTest, QuotesAreShortAndOnOneLine) {
  EXPECT_EQ(quote("acme"), "'acme'");
  EXPECT_EQ(quote("a\nb\xff"), "'a?b?'");
  EXPECT_EQ(quote(std::string(300, 'x')), "'" + std::string(60, 'x') + "...'");
}

TEST(TextTest, SuggestsTheNameThatWasProbablyMeant) {
  constexpr std::array<std::string_view, 3> kKnown = {"services", "frontend", "app"};
  EXPECT_EQ(nearest("service", kKnown), "services");
  EXPECT_EQ(nearest("fronted", kKnown), "frontend");
  EXPECT_EQ(nearest("ap", kKnown), "app");
  EXPECT_EQ(nearest("xyz", kKnown), "");
  EXPECT_EQ(nearest("database", kKnown), "");
}

TEST(TextTest, EditDistanceCountsInsertionsDeletionsAndChanges) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

}  // namespace
}  // namespace granary::base

#include "wire/bundle_ignore.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

using base::os::EntryKind;

IgnoreRules rules(std::string_view text) {
  IgnoreRules parsed = IgnoreRules::nothing();
  EXPECT_TRUE(parsed.add(text, ".granaryignore").has_value());
  return parsed;
}

TEST(GlobTest, StarsAndQuestionMarksStayWithinAName) {
  EXPECT_TRUE(glob_matches("*.pyc", "m.pyc"));
  EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(glob_matches("a?c", "abc"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("docs/*.md", "docs/a.md"));
  EXPECT_FALSE(glob_matches("docs/*.md", "docs/sub/a.md"));
  EXPECT_FALSE(glob_matches("a?c", "a/c"));
  EXPECT_FALSE(glob_matches("a*b", "aXc"));
  EXPECT_FALSE(glob_matches("", "a"));
}

TEST(GlobTest, ManyStarsStayCheap) {
  std::string glob;
  for (int i = 0; i < 200; ++i) glob += "*a";
  EXPECT_FALSE(glob_matches(glob + "b", std::string(5000, 'a')));
}

TEST(IgnoreTest, APatternWithoutASlashMatchesAtAnyDepth) {
  EXPECT_TRUE(rules("*.log").ignores("a/b/x.log", EntryKind::File));
  EXPECT_FALSE(rules("/x.log").ignores("a/x.log", EntryKind::File));
  EXPECT_TRUE(rules("/x.log").ignores("x.log", EntryKind::File));
}

TEST(IgnoreTest, ASlashAtTheEndMeansFoldersAlone) {
  EXPECT_TRUE(rules("build/").ignores("build", EntryKind::Folder));
  EXPECT_FALSE(rules("build/").ignores("build", EntryKind::File));
}

TEST(IgnoreTest, TheLastMatchDecides) {
  EXPECT_FALSE(rules("*.log\n!keep.log\n").ignores("keep.log", EntryKind::File));
  EXPECT_TRUE(rules("!keep.log\n*.log\n").ignores("keep.log", EntryKind::File));
}

TEST(IgnoreTest, CommentsAndBlankLinesAndCarriageReturnsMeanNothing) {
  EXPECT_FALSE(rules("# *.py\r\n\r\n").ignores("a.py", EntryKind::File));
  EXPECT_TRUE(rules("*.py\r\n").ignores("a.py", EntryKind::File));
}

TEST(IgnoreTest, WhatIsNotSupportedIsRefusedWithItsLine) {
  IgnoreRules parsed;
  EXPECT_EQ(parsed.add("a\n**/b\n", ".granaryignore").error().message,
            ".granaryignore:2: the pattern '**/b' is not supported");
  EXPECT_FALSE(parsed.add("[ab]", "f").has_value());
  EXPECT_FALSE(parsed.add("!", "f").has_value());
  EXPECT_EQ(parsed.add(std::string(100'000, 'a'), "f").error().code, base::Code::Exhausted);
}

}  // namespace
}  // namespace granary::wire

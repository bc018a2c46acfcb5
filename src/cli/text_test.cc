#include "cli/text.h"

#include <gtest/gtest.h>

#include "cli/address.h"

namespace granary::cli {
namespace {

TEST(SafeTextTest, KeepsLettersOfAllLanguagesAndEscapesWhatMovesTheCursor) {
  EXPECT_EQ(safe("M\xc3\xbcller \xe6\x97\xa5"), "M\xc3\xbcller \xe6\x97\xa5");
  EXPECT_EQ(safe("a\tb\r\n\x1b[0m\x7f"), "a\\x09b\\x0d\\x0a\\x1b[0m\\x7f");
  EXPECT_EQ(safe("x\xe2\x80\xaey"), "x\\xe2\\x80\\xaey");  // U+202E turns text round
  EXPECT_EQ(safe("\xff\xc3"), "\\xff\\xc3");
}

TEST(HumanTextTest, AgesAreShort) {
  const base::WallTime now = *base::parse_rfc3339("2026-11-24T12:00:00Z");
  EXPECT_EQ(age("2026-11-24T11:59:55Z", now), "5s");
  EXPECT_EQ(age("2026-11-24T11:00:00Z", now), "60m");
  EXPECT_EQ(age("2026-11-01T12:00:00Z", now), "23d");
  EXPECT_EQ(age("2027-01-01T00:00:00Z", now), "0s");
  EXPECT_EQ(age("whenever", now), "whenever");
}

TEST(TableTest, CountsCharactersNotBytes) {
  Table table({"A", "B"});
  table.add({"\xc3\xbc", "1"});
  table.add({"", "2"});
  EXPECT_EQ(table.text(), "A  B\n\xc3\xbc  1\n-  2\n");
}

TEST(AddressTest, ReadsWhatPeopleWriteAndRefusesTheRest) {
  EXPECT_EQ(to_string(*parse_address("http://127.0.0.1:9000")), "http://127.0.0.1:9000");
  EXPECT_EQ(to_string(*parse_address("127.0.0.1:9000")), "http://127.0.0.1:9000");
  EXPECT_EQ(to_string(*parse_address("http://[::1]:9000/")), "http://[::1]:9000");
  EXPECT_EQ(to_string(*parse_address("http://host")), "http://host:8081");
  EXPECT_EQ(parse_address("unix:/run/x.sock")->unix_path, "/run/x.sock");
  EXPECT_EQ(parse_address("https://host").error().code, base::Code::NotSupported);
  for (const char* text : {"", "unix:x", "ftp://a", "http://", "http://a/b", "http://u@a", "a b"})
    EXPECT_FALSE(parse_address(text).has_value()) << text;
}

TEST(AddressTest, OnlyThisMachineIsLocal) {
  EXPECT_TRUE(parse_address("http://localhost:1")->is_local());
  EXPECT_TRUE(parse_address("http://127.0.0.2:1")->is_local());
  EXPECT_TRUE(parse_address("http://[::1]:1")->is_local());
  EXPECT_TRUE(parse_address("unix:/x")->is_local());
  EXPECT_FALSE(parse_address("http://10.0.0.1:1")->is_local());
  EXPECT_FALSE(parse_address("http://localhost.example:1")->is_local());
}

TEST(TextTest, AnOutlineHasALineForEachMemberAndNoControlCharacters) {
  const auto document = base::json::parse_object(
      R"({"tenant": "ac\u001b[2Jme", "destroyed": [{"what": "disk", "bytes": 3}, "rows"],
          "none": [], "rows": {"secrets": ["A"]}, "yes": true})",
      1000);
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(outline(*document),
            "tenant: ac\\x1b[2Jme\n"
            "destroyed:\n"
            "  -\n"
            "    what: disk\n"
            "    bytes: 3\n"
            "  - rows\n"
            "none: []\n"
            "rows:\n"
            "  secrets:\n"
            "    - A\n"
            "yes: true\n");
  EXPECT_EQ(outline({}), "");
}

}  // namespace
}  // namespace granary::cli

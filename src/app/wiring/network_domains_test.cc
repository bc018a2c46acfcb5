#include "app/wiring/network_domains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace granary::app {
namespace {

using base::Code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string with_length(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}

// An answer of DNS to a question for TXT records of "a.b" with these records' data.
std::string answer_with(const std::vector<std::string>& records) {
  std::string message("\x12\x34\x81\x80\x00\x01", 6);
  message += std::string("\x00", 1) + static_cast<char>(records.size());
  message += std::string("\x00\x00\x00\x00", 4);
  message += std::string(
      "\x01"
      "a\x01"
      "b\x00\x00\x10\x00\x01",
      9);
  for (const std::string& data : records) {
    message += std::string("\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c", 10);
    message += std::string(1, static_cast<char>(data.size() >> 8)) +
               static_cast<char>(data.size() & 0xff) + data;
  }
  return message;
}

TEST(TxtAnswerTest, EachRecordIsOneTextWhateverItsPieces) {
  const std::string long_piece(200, 'x');
  const auto texts = parse_txt_answer(
      answer_with({with_length("granary-abc"), with_length(long_piece) + with_length("end")}));
  ASSERT_TRUE(texts.has_value());
  EXPECT_THAT(*texts, ElementsAre("granary-abc", long_piece + "end"));
}

TEST(TxtAnswerTest, NoRecordsAreNoTexts) {
  EXPECT_THAT(*parse_txt_answer(answer_with({})), ElementsAre());
}

TEST(TxtAnswerTest, WhatIsCutOffIsNoAnswer) {
  const std::string whole = answer_with({with_length("granary-abc")});
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_txt_answer(whole.substr(0, length)).has_value()) << length;
}

TEST(TxtAnswerTest, APieceThatSaysItIsLongerThanItsRecordEndsWithIt) {
  const auto texts =
      parse_txt_answer(answer_with({"\x7f"
                                    "abc"}));
  ASSERT_TRUE(texts.has_value());
  EXPECT_THAT(*texts, ElementsAre("abc"));
}

TEST(SmallAnswerTest, TheBodyOfA200IsGiven) {
  EXPECT_EQ(parse_small_answer("HTTP/1.1 200 OK\r\nA: b\r\n\r\ngranary-abc\n"), "granary-abc\n");
}

TEST(SmallAnswerTest, AllElseIsRefusedWithWhatItIs) {
  for (const char* bytes : {"", "HTTP/1.1 200 OK\r\n", "SSH-2.0-x\r\n\r\n",
                            "HTTP/1.1 2000\r\n\r\nx", "HTTP/1.1\r\n\r\n"})
    EXPECT_EQ(parse_small_answer(bytes).error().code, Code::Unavailable) << bytes;
  EXPECT_THAT(parse_small_answer("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n").error().message,
              HasSubstr("302 Found"));
}

}  // namespace
}  // namespace granary::app

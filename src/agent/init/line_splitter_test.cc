#include "agent/init/line_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace granary::init {
namespace {

class Lines final : public LineSink {
 public:
  void on_line(std::string_view text, Piece piece) override {
    pieces.emplace_back(std::string(text), piece);
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const auto& [text, piece] : pieces) result.push_back(text);
    return result;
  }
  std::vector<std::pair<std::string, Piece>> pieces;
};

class LineSplitterTest : public testing::Test {
 protected:
  Lines lines_;
  LineSplitter splitter_{lines_};
};

using Texts = std::vector<std::string>;

TEST_F(LineSplitterTest, DeliversALineWhenItsNewlineComes) {
  splitter_.feed("hel");
  splitter_.feed("lo");
  EXPECT_TRUE(lines_.pieces.empty());
  splitter_.feed(" world\n\nnext");
  EXPECT_EQ(lines_.texts(), (Texts{"hello world", ""}));
}

TEST_F(LineSplitterTest, DeliversTheLastLineWithoutNewlineAtTheEndOnce) {
  splitter_.feed("a\nlast words");
  splitter_.finish();
  splitter_.finish();
  EXPECT_EQ(lines_.texts(), (Texts{"a", "last words"}));
}

TEST_F(LineSplitterTest, EscapesControlCharactersButNotTabsOrUtf8) {
  using namespace std::string_view_literals;
  splitter_.feed("\x1b[31m\tred \xc3\xa4\x7f\r\0!\n"sv);
  EXPECT_EQ(lines_.texts(), (Texts{"\\x1b[31m\tred \xc3\xa4\\x7f\\x0d\\x00!"}));
}

TEST_F(LineSplitterTest, SplitsALineThatIsTooLongAndMarksWhatContinues) {
  const std::string line = std::string(kMaxLineBytes, 'a') + std::string(10, 'b');
  splitter_.feed(line + "\nnext\n");
  ASSERT_EQ(lines_.pieces.size(), 3u);
  EXPECT_EQ(lines_.pieces[0], std::pair(std::string(kMaxLineBytes, 'a'), Piece::First));
  EXPECT_EQ(lines_.pieces[1], std::pair(std::string(10, 'b'), Piece::Continuation));
  EXPECT_EQ(lines_.pieces[2], std::pair(std::string("next"), Piece::First));
}

TEST_F(LineSplitterTest, DoesNotSplitALineThatJustFits) {
  splitter_.feed(std::string(kMaxLineBytes, 'a') + "\n");
  ASSERT_EQ(lines_.pieces.size(), 1u);
  EXPECT_EQ(lines_.pieces[0].first.size(), kMaxLineBytes);
}

TEST_F(LineSplitterTest, KeepsAnEscapeWholeAtTheSplit) {
  splitter_.feed(std::string(kMaxLineBytes - 3, 'a') + "\x01z\n");
  EXPECT_EQ(lines_.texts(), (Texts{std::string(kMaxLineBytes - 3, 'a'), "\\x01z"}));
}

TEST_F(LineSplitterTest, KeepsAUtf8CharacterWholeAtTheSplit) {
  const std::string euro = "\xe2\x82\xac";
  for (std::size_t before = kMaxLineBytes - 3; before <= kMaxLineBytes; ++before) {
    lines_.pieces.clear();
    splitter_.feed(std::string(before, 'a') + euro + "z\n");
    ASSERT_EQ(lines_.pieces.size(), 2u) << before;
    const bool fits = before + euro.size() <= kMaxLineBytes;
    EXPECT_EQ(lines_.pieces[0].first, std::string(before, 'a') + (fits ? euro : "")) << before;
    EXPECT_EQ(lines_.pieces[1].first, (fits ? "" : euro) + "z") << before;
  }
}

TEST_F(LineSplitterTest, SplitsBytesThatAreNotUtf8Anywhere) {
  splitter_.feed(std::string(kMaxLineBytes + 5, '\x80') + "\n");
  ASSERT_EQ(lines_.pieces.size(), 2u);
  EXPECT_EQ(lines_.pieces[0].first.size() + lines_.pieces[1].first.size(), kMaxLineBytes + 5);
}

TEST_F(LineSplitterTest, GivesTheSameLinesHoweverTheInputIsCut) {
  std::string input;
  for (int i = 0; i < 20'000; ++i) input += static_cast<char>((i * 7919) % 256);
  input += std::string(30'000, 'x') + "\nend";
  splitter_.feed(input);
  splitter_.finish();
  for (const std::size_t cut : {1u, 3u, 4095u, 8192u}) {
    Lines others;
    LineSplitter other(others);
    for (std::size_t at = 0; at < input.size(); at += cut) other.feed(input.substr(at, cut));
    other.finish();
    EXPECT_EQ(others.pieces, lines_.pieces) << cut;
  }
}

}  // namespace
}  // namespace granary::init

#include "agent/access_reader.h"

#include <gtest/gtest.h>

#include "agent/limits.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::agent {
namespace {

using Lines = std::vector<std::string>;

class AccessReaderTest : public ::testing::Test {
 protected:
  AccessReaderTest() { EXPECT_TRUE(base::os::make_folders(paths_.access(), 0700).has_value()); }
  void add(const std::string& lines) const {
    ASSERT_TRUE(base::os::append_file(path(), lines, 0600).has_value());
  }
  // As the gateway does it with a file that is long enough.
  void turn() const { ASSERT_TRUE(base::os::rename_file(path(), path() + ".1").has_value()); }
  std::string path() const { return paths_.access_log(account_, 7); }
  Lines next() {
    const auto read = read_access_log(paths_, account_, 7, cursor_);
    EXPECT_TRUE(read.has_value());
    cursor_ = read->cursor;
    return read->lines;
  }

  base::testing::TemporaryFolder folder_;
  wire::Paths paths_{folder_.path()};
  base::AccountId account_{"acme"};
  std::uint64_t cursor_ = 0;
};

TEST_F(AccessReaderTest, AnAccountWithoutRequestsHasNoLines) { EXPECT_EQ(next(), Lines()); }

TEST_F(AccessReaderTest, WholeLinesAreReadOnce) {
  add("one\ntwo\nhal");
  EXPECT_EQ(next(), (Lines{"one", "two"}));
  EXPECT_EQ(next(), Lines());
  add("f\n");
  EXPECT_EQ(next(), Lines{"half"});
}

TEST_F(AccessReaderTest, ReadingGoesOnWhileTheFilesTurn) {
  add("one\n");
  EXPECT_EQ(next(), Lines{"one"});
  add("two\n");
  turn();
  add("three\n");
  EXPECT_EQ(next(), (Lines{"two", "three"}));
  add("four\n");
  EXPECT_EQ(next(), Lines{"four"});
}

TEST_F(AccessReaderTest, ACursorWhoseFileIsGoneGoesOnWithTheOldestThatIsLeft) {
  add("one\n");
  EXPECT_EQ(next(), Lines{"one"});
  turn();
  add("two\n");
  turn();
  add("three\n");
  EXPECT_EQ(next(), (Lines{"two", "three"}));
}

TEST_F(AccessReaderTest, ALongLogComesInChunks) {
  const std::string line(99, 'x');
  std::string all;
  for (std::size_t i = 0; i < kMaxLogChunk / 50; ++i) all += line + "\n";
  add(all);
  std::size_t lines = 0;
  for (Lines chunk = next(); !chunk.empty(); chunk = next()) {
    EXPECT_LE(chunk.size() * 100, kMaxLogChunk);
    lines += chunk.size();
  }
  EXPECT_EQ(lines, kMaxLogChunk / 50);
}

}  // namespace
}  // namespace granary::agent

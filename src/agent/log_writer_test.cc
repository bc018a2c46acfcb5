#include "agent/log_writer.h"

#include <gtest/gtest.h>

#include "agent/log_reader.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::agent {
namespace {

class LogWriterTest : public ::testing::Test {
 protected:
  void begin(int half, std::uint64_t number, const std::string& lines) const {
    const std::string path = paths_.log(service_, half);
    ASSERT_TRUE(base::os::make_folders(path.substr(0, path.rfind('/')), 0700).has_value());
    ASSERT_TRUE(base::os::replace_file(path, fmt::format("#granary-log {:020}\n{}", number, lines),
                                       0600, base::os::Durability::Cached)
                    .has_value());
  }
  std::vector<std::string> lines() const { return read_log(paths_, service_, 0)->lines; }

  base::testing::TemporaryFolder folder_;
  wire::Paths paths_{folder_.path()};
  base::ServiceId service_{base::AccountId("acme"), "api"};
  base::WallTime time_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);
};

TEST_F(LogWriterTest, ALineGoesBehindTheNewestAndIsNotTheAppsOwn) {
  begin(0, 3, "2026-11-26T00:00:00.000Z out new\n");
  begin(1, 2, "2026-11-25T00:00:00.000Z out old\n");
  ASSERT_TRUE(append_log(paths_, service_, time_, "a request failed").has_value());
  ASSERT_EQ(lines().size(), 3U);
  EXPECT_TRUE(lines()[2].starts_with("2026-11-27T00:00:00"));
  EXPECT_TRUE(lines()[2].ends_with("Z req a request failed"));
  EXPECT_EQ(last_words(paths_, service_, 0, Speaker::App), "new");
}

TEST_F(LogWriterTest, TheLastWordsOfALifeAreItsOwn) {
  const std::string earlier = "2026-11-26T00:00:00.000Z out of an earlier life\n";
  begin(0, 3, earlier);
  const std::uint64_t began = log_end(paths_, service_);
  EXPECT_EQ(last_words(paths_, service_, began, Speaker::App), "");
  const std::string own = "2026-11-26T00:00:01.000Z err of this one\n";
  begin(0, 3, earlier + own + "2026-11-26T00:00:02.000Z sys ended with exit code 1\n");
  EXPECT_EQ(last_words(paths_, service_, began, Speaker::App), "of this one");
  EXPECT_EQ(last_words(paths_, service_, began, Speaker::AppAndInit),
            "of this one | ended with exit code 1");
  // It has said so much that it is in the next file.
  begin(1, 4, "2026-11-26T00:00:03.000Z out later\n");
  EXPECT_EQ(last_words(paths_, service_, began, Speaker::App), "later");
  // Long lines of an earlier life before it are not read into.
  std::string chatter;
  for (int i = 0; i < 200; ++i) chatter += "2026-11-26T00:00:04.000Z out chatter of before\n";
  begin(1, 4, chatter);
  const std::uint64_t next = log_end(paths_, service_);
  begin(1, 4, chatter + own);
  EXPECT_EQ(last_words(paths_, service_, next, Speaker::App), "of this one");
}

TEST_F(LogWriterTest, ALogInWhichTheAppSaidNothingYetIsBegun) {
  begin(0, 1, "");
  ASSERT_TRUE(
      base::os::replace_file(paths_.log(service_, 0), "", 0600, base::os::Durability::Cached)
          .has_value());
  ASSERT_TRUE(append_log(paths_, service_, time_, "a request failed").has_value());
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_TRUE(lines()[0].ends_with("Z req a request failed"));
}

TEST_F(LogWriterTest, AServiceThatNeverRanGetsNoLog) {
  EXPECT_TRUE(append_log(paths_, service_, time_, "a request failed").has_value());
  EXPECT_FALSE(base::os::exists(paths_.log(service_, 0)));
}

}  // namespace
}  // namespace granary::agent

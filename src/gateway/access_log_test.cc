#include "gateway/access_log.h"

#include <gtest/gtest.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"
#include "gateway/limits.h"

namespace granary::gateway {
namespace {

using std::chrono::milliseconds;

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() { EXPECT_TRUE(base::os::make_folders(paths_.access(), 0700).has_value()); }
  AccessEntry entry(std::string_view target = "/x") const {
    return {.client = "127.0.0.1",
            .host = "acme.localhost",
            .method = "GET",
            .target = target,
            .request_id = "id",
            .status = 200,
            .bytes = 512,
            .began = world_.clock.boot() - milliseconds(1234),
            .ended = world_.clock.boot()};
  }
  std::string file(const std::string& name) const {
    return base::os::read_file(paths_.access() + "/" + name, 64U << 20).value_or("");
  }

  base::testing::World world_;
  base::testing::TemporaryFolder folder_;
  wire::Paths paths_{folder_.path()};
  AccessLog log_{{paths_, world_.clock, world_.timer, world_.worker}};
  const base::AccountId acme_{"acme"};
};

TEST_F(AccessLogTest, EachAccountHasItsOwnFileAndEachRequestALine) {
  log_.add(acme_, 7, entry());
  world_.clock.advance(milliseconds(50));
  log_.add(acme_, 7, entry("/y?z=1"));
  log_.add(base::AccountId("globex"), 8, entry());
  EXPECT_EQ(file("acme.7.log"), "");
  world_.run(log_.flush());
  EXPECT_EQ(file("acme.7.log"),
            "2026-11-24T00:00:01.000Z 127.0.0.1 acme.localhost \"GET /x HTTP/1.1\" 200 512 1.234 "
            "id\n"
            "2026-11-24T00:00:01.050Z 127.0.0.1 acme.localhost \"GET /y?z=1 HTTP/1.1\" 200 512 "
            "1.234 id\n");
  EXPECT_NE(file("globex.8.log"), "");
}

TEST_F(AccessLogTest, NoTargetCanForgeALine) {
  log_.add(acme_, 7, entry("/\" 200 \\\"" + std::string(2000, 'a')));
  world_.run(log_.flush());
  EXPECT_NE(file("acme.7.log").find("\"GET /\\\" 200 \\\\\\\"aaa"), std::string::npos);
  EXPECT_NE(file("acme.7.log").find("aaa... HTTP/1.1\" 200"), std::string::npos);
  EXPECT_LT(file("acme.7.log").size(), 700U);
}

TEST_F(AccessLogTest, AFullFileBecomesTheOldOne) {
  for (std::size_t bytes = 0; bytes < kLogFile; bytes += 80) log_.add(acme_, 7, entry());
  world_.run(log_.flush());
  log_.add(acme_, 7, entry("/new"));
  world_.run(log_.flush());
  EXPECT_GE(file("acme.7.log.1").size(), kLogFile);
  EXPECT_LT(file("acme.7.log").size(), 200U);
}

TEST_F(AccessLogTest, OfAnAccountThatIsGoneNothingIsLeftAndTheNextOfItsNameBeginsAnew) {
  log_.add(acme_, 7, entry());
  log_.add(base::AccountId("globex"), 8, entry());
  world_.run(log_.flush());
  folder_.write("access/acme.7.log.1", "old");
  log_.add(acme_, 7, entry("/pending"));
  log_.forget({{1, 7}});
  log_.add(acme_, 7, entry("/late"));  // of a request that was under way
  log_.add(acme_, 9, entry("/new"));
  world_.run(log_.flush());
  EXPECT_FALSE(base::os::exists(paths_.access_log(acme_, 7)));
  EXPECT_FALSE(base::os::exists(paths_.access_log(acme_, 7) + ".1"));
  EXPECT_NE(file("acme.9.log").find("/new"), std::string::npos);
  EXPECT_NE(file("globex.8.log"), "");
}

TEST_F(AccessLogTest, WhatADiskCannotTakeIsDroppedAndCounted) {
  for (std::size_t bytes = 0; bytes < 2 * kLogPending; bytes += 80) log_.add(acme_, 7, entry());
  EXPECT_GT(log_.dropped(), 0U);
  world_.run(log_.flush());
  const std::uint64_t before = log_.dropped();
  log_.add(acme_, 7, entry());
  EXPECT_EQ(log_.dropped(), before);
}

}  // namespace
}  // namespace granary::gateway

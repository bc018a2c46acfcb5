#include <gtest/gtest.h>

#include "cli/testing/command_line.h"
#include "cli/testing/documents.h"

namespace granary::cli {
namespace {

using testing::CommandLine;
using testing::json;
using testing::Ran;
using testing::tenant;

TEST(LogsCommandTest, LogLinesAreEscapedAndServicesAreToldApart) {
  CommandLine line;
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  line.api.answer("GET /v1/tenants/acme/logs", 200,
                  json(api_wire::LogDocument{"api", {"one", "\x1b[2Jtwo"}, 10}));
  line.api.answer("GET /v1/tenants/acme/logs", 200, json(api_wire::LogDocument{"api", {}, 10}));
  const Ran ran = line.run({"tenant", "logs", "acme"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "one\n\\x1b[2Jtwo\n");
  EXPECT_EQ(line.api.asked().at(2).target, "/v1/tenants/acme/logs?service=api&cursor=10");
}

TEST(LogsCommandTest, TheAccessLogIsAskedForByRequest) {
  CommandLine line;
  line.api.answer("GET /v1/tenants/acme/logs", 200,
                  json(api_wire::LogDocument{"", {"a line abc"}, 10}));
  line.api.answer("GET /v1/tenants/acme/logs", 200, json(api_wire::LogDocument{"", {}, 10}));
  const Ran ran = line.run({"tenant", "logs", "acme", "--access", "--request", "abc"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "a line abc\n");
  EXPECT_EQ(line.api.asked().at(0).target,
            "/v1/tenants/acme/logs?access=true&request=abc&cursor=0");
  EXPECT_EQ(line.run({"tenant", "logs", "acme", "--access", "--service", "api"}).code, 2);
}

TEST(LogsCommandTest, FollowingALogEndsWellWithCtrlC) {
  CommandLine line;
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  line.api.answer("GET /v1/tenants/acme/logs", 200,
                  json(api_wire::LogDocument{"api", {"one"}, 10}));
  line.api.answer("GET /v1/tenants/acme/logs", 200, json(api_wire::LogDocument{"api", {}, 10}));
  line.api.interrupt_at(6);  // the third look while it follows
  const Ran ran = line.run({"tenant", "logs", "acme", "-f"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "one\n");
  EXPECT_EQ(line.api.asked().at(4).target,
            "/v1/tenants/acme/logs?service=api&cursor=10&follow=true");
}

TEST(LogsCommandTest, ARequestThatIsInNoLineOfTheAccessLogIsNotFound) {
  CommandLine line;
  line.api.answer("GET /v1/tenants/acme/logs", 200, json(api_wire::LogDocument{}));
  const Ran ran = line.run({"tenant", "logs", "acme", "--request", "deadbeef"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.err.find("no line of acme's access log has the request id 'deadbeef'"),
            std::string::npos)
      << ran.err;
  EXPECT_NE(ran.err.find("X-Request-Id"), std::string::npos) << ran.err;
  const Ran none = line.run({"tenant", "logs", "acme", "--access"});
  EXPECT_EQ(none.code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_EQ(none.err, "no request has been logged yet\n");
}

}  // namespace
}  // namespace granary::cli

#include <gtest/gtest.h>

#include "api/wire/documents.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"
#include "cli/testing/command_line.h"

namespace granary::cli {
namespace {

using testing::CommandLine;
using testing::Ran;

class ReleaseCommandsTest : public ::testing::Test {
 protected:
  ReleaseCommandsTest() {
    folder_.write("app/granary.yaml", "app: insight\n");
    folder_.write("app/main.py", "print(1)\n");
    line_.environment["TMPDIR"] = folder_.path();
    line_.api.answer("POST /v1/releases", 201, base::json::print(api_wire::to_json(release())));
  }
  static api_wire::ReleaseDocument release() {
    return {"insight-1", "ab", "insight", 10, 2, "token/1", "2026-11-24T00:00:00.000Z", {}};
  }
  Ran create(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"release", "create", folder_ / "app"});
    return line_.run(more);
  }

  CommandLine line_;
  base::testing::TemporaryFolder folder_;
};

TEST_F(ReleaseCommandsTest, WhatWasLeftOutIsToldToPeopleAndInJson) {
  folder_.write("app/__pycache__/main.pyc", "");
  folder_.write("app/node_modules/left/index.js", "");
  const Ran ran = create();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("sent 3 files"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("left out 1 folder: __pycache__ (to keep it, write !__pycache__ into "
                         ".granaryignore)\n"),
            std::string::npos)
      << ran.err;
  EXPECT_EQ(ran.err.find("node_modules"), std::string::npos);

  const Ran json = create({"-o", "json"});
  const auto document = base::json::parse_object(json.out, 10'000);
  ASSERT_TRUE(document.has_value()) << json.out;
  EXPECT_EQ(document->at("id"), "insight-1");
  ASSERT_EQ(document->at("left_out").as_array().size(), 1U);
  const auto& left_out = document->at("left_out").as_array()[0].as_object();
  EXPECT_EQ(left_out.at("rule"), "__pycache__");
  EXPECT_EQ(left_out.at("folders"), 1);
  EXPECT_EQ(left_out.at("files"), 0);
}

TEST_F(ReleaseCommandsTest, ARefusedReleaseIsNotSaidToBeSentAndWhatWasLeftOutIsTold) {
  folder_.write("app/__pycache__/main.pyc", "");
  CommandLine refusing;
  const Ran ran = refusing.run({"release", "create", folder_ / "app"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.err.find("sent "), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("left out 1 folder"), std::string::npos) << ran.err;
}

TEST_F(ReleaseCommandsTest, ASecretIsNotSentUnlessItIsAskedFor) {
  folder_.write("app/.env", "SECRET=1\n");
  const Ran refused = create();
  EXPECT_EQ(refused.code, 4);
  EXPECT_NE(refused.err.find("'.env'"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--include .env"), std::string::npos) << refused.err;
  EXPECT_TRUE(line_.api.asked().empty());
  EXPECT_EQ(base::os::list_folder(folder_.path())->size(), 1U);  // no bundle is left behind

  const Ran taken = create({"--include", ".env"});
  EXPECT_EQ(taken.code, 0) << taken.err;
  EXPECT_EQ(line_.api.asked().size(), 1U);
}

}  // namespace
}  // namespace granary::cli

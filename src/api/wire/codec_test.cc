#include "api/wire/codec.h"

#include <gtest/gtest.h>

#include "api/wire/access_documents.h"
#include "api/wire/documents.h"
#include "api/wire/problem.h"

namespace granary::api_wire {
namespace {

using base::Code;

template <class T>
base::Result<T> read(std::string_view text, Unknown unknown = Unknown::Refuse) {
  TRY_ASSIGN(const base::json::value value, base::json::parse(text, 1 << 20));
  return from_json<T>(value, unknown);
}

TEST(CodecTest, ADocumentComesBackAsItWas) {
  OperationDocument operation;
  operation.id = "01J";
  operation.state = "failed";
  operation.error = ErrorDocument{"exhausted", "the disk is full", "Make room", {"deploy"}};
  operation.revision = "00ff";
  operation.history.push_back(
      {"reserve", 1, "2026-11-24T00:00:00.000Z", std::nullopt, "running", ""});
  const auto back = from_json<OperationDocument>(to_json(operation), Unknown::Refuse);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, operation);
}

TEST(CodecTest, WhatIsNotThereIsLeftOutAndReadAsNothing) {
  const base::json::value written = to_json(TokenDocument{"1", "viewer", "", "now"});
  EXPECT_FALSE(written.as_object().contains("secret"));
  EXPECT_EQ(read<TokenDocument>(base::json::print(written))->secret, std::nullopt);
}

TEST(CodecTest, AnUnknownMemberIsRefusedByNameWithTheNearestOne) {
  const auto refused = read<CreateTenantDocument>(R"({"id": "acme", "relase": "x"})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::InvalidArgument);
  EXPECT_NE(refused.error().message.find("relase"), std::string::npos);
  EXPECT_NE(refused.error().advice.find("'release'"), std::string::npos);
}

TEST(CodecTest, AClientIgnoresWhatANewerServerAdds) {
  EXPECT_TRUE(read<LogDocument>(R"({"service": "api", "cursor": 4, "new": 1})", Unknown::Ignore));
}

TEST(CodecTest, AMissingMemberIsNamed) {
  const auto refused = read<CreateTenantDocument>("{}");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "member 'id' is missing");
}

TEST(CodecTest, AWrongTypeDeepInsideIsNamedWithItsPlace) {
  const auto refused = read<CreateTenantDocument>(R"({"id": "a", "domains": ["x", 3]})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "member 'domains[1]' must be a string");
  EXPECT_EQ(read<CreateTenantDocument>(R"({"id": "a", "labels": {"p": []}})").error().message,
            "member 'labels.p' must be a string");
  EXPECT_FALSE(read<CreateTenantDocument>(R"([1])").has_value());
  EXPECT_FALSE(read<CreateTenantDocument>(R"(null)").has_value());
}

TEST(CodecTest, NumbersThatDoNotFitAreRefused) {
  EXPECT_FALSE(read<LogDocument>(R"({"service": "a", "cursor": -1})").has_value());
  EXPECT_FALSE(read<LogDocument>(R"({"service": "a", "cursor": 1.5})").has_value());
  EXPECT_FALSE(read<LogDocument>(R"({"service": "a", "cursor": "1"})").has_value());
  EXPECT_FALSE(read<LogDocument>(R"({"service": "a", "cursor": 1e40})").has_value());
}

TEST(CodecTest, BytesThatAreNoTextAreReplacedSoThatTheDocumentStaysJson) {
  EXPECT_EQ(base::as_utf8("na\xc3\xafve"), "na\xc3\xafve");
  EXPECT_EQ(base::as_utf8("a\xff\xc3z\xe2\x82"),
            "a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
  const std::string text = base::json::print(to_json(LogDocument{"api", {"\xfe ok"}, 1}));
  EXPECT_TRUE(read<LogDocument>(text).has_value());
}

TEST(CodecTest, NullRemovesALabel) {
  const auto update = read<UpdateTenantDocument>(R"({"labels": {"plan": null, "team": "x"}})");
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(update->labels.at("plan"), std::nullopt);
  EXPECT_EQ(update->labels.at("team"), "x");
}

TEST(CodecTest, TheSchemaNamesEveryMemberAndWhatIsRequired) {
  const base::json::object schema = schema_of<CreateTenantDocument>();
  EXPECT_EQ(base::json::print(schema.at("required")), R"(["id"])");
  EXPECT_EQ(schema.at("properties").as_object().size(), 9U);
  EXPECT_EQ(base::json::print(schema.at("properties").at("name").at("type")),
            R"(["string","null"])");
}

TEST(ProblemTest, AnErrorSurvivesTheJourney) {
  const base::Error error{Code::Conflict, "acme is suspended", "Resume it", {"deploy to acme"}};
  const Problem problem = to_problem(error, "r1");
  EXPECT_EQ(problem.status, 409U);
  EXPECT_EQ(problem.code, "conflict");
  EXPECT_EQ(problem.request_id, "r1");
  const auto back = from_json<Problem>(to_json(problem), Unknown::Refuse);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(to_error(*back), error);
}

TEST(ProblemTest, EveryCodeHasAnErrorStatusAndATitle) {
  for (int code = 0; code <= static_cast<int>(Code::Internal); ++code) {
    EXPECT_GE(http_status(static_cast<Code>(code)), 400U);
    EXPECT_FALSE(title(static_cast<Code>(code)).empty());
  }
}

}  // namespace
}  // namespace granary::api_wire

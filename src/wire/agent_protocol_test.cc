#include "wire/agent_protocol.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

using base::Code;
using base::json::object;

TEST(AgentProtocol, FrameBeginsWithItsLengthInLittleEndian) {
  object document;
  document["id"] = 300;
  const std::string frame = encode_frame(document);
  EXPECT_EQ(frame.substr(0, kFrameHead), std::string("\x0a\0\0\0", 4));
  EXPECT_EQ(*decode_head(frame.substr(0, kFrameHead)), frame.size() - kFrameHead);
  EXPECT_EQ(*decode_body(frame.substr(kFrameHead)), document);
}

TEST(AgentProtocol, HeadOutsideItsBoundsIsRefused) {
  EXPECT_EQ(decode_head(std::string(4, '\0')).error().code, Code::InvalidArgument);
  EXPECT_EQ(decode_head(std::string(3, '\1')).error().code, Code::InvalidArgument);
  EXPECT_EQ(decode_head(std::string(4, '\xff')).error().code, Code::Exhausted);
  EXPECT_EQ(*decode_head(std::string("\0\0\x40\0", 4)), kMaxFrame);
}

TEST(AgentProtocol, EveryVerbHasANameOfItsOwn) {
  for (int i = 0; i <= static_cast<int>(Verb::Ping); ++i) {
    const Verb verb = static_cast<Verb>(i);
    EXPECT_EQ(*verb_from(to_string(verb)), verb);
  }
  EXPECT_EQ(verb_from("format").error().code, Code::NotSupported);
}

TEST(AgentProtocol, GatewayMayOnlyWakeAndTellOfFaultsAndOthersNothing) {
  for (int i = 0; i <= static_cast<int>(Verb::Ping); ++i) {
    const Verb verb = static_cast<Verb>(i);
    EXPECT_TRUE(may_use(Peer::Control, verb));
    EXPECT_FALSE(may_use(Peer::Other, verb));
    EXPECT_EQ(may_use(Peer::Gateway, verb),
              verb == Verb::Activate || verb == Verb::Fault || verb == Verb::Ping);
  }
}

TEST(AgentProtocol, RequestSurvivesItsFrame) {
  Request request{.id = 5, .verb = Verb::Activate, .arguments = {}};
  request.arguments["account"] = "acme";
  const auto back = decode_request(*decode_body(encode_request(request).substr(kFrameHead)));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->id, 5);
  EXPECT_EQ(back->verb, Verb::Activate);
  EXPECT_EQ(back->arguments, request.arguments);
  EXPECT_FALSE(decode_request(object()).has_value());
}

TEST(AgentProtocol, AnswersSurviveTheirFrame) {
  object result;
  result["epoch"] = 3;
  const auto good = decode_answer(*decode_body(encode_answer(1, result).substr(kFrameHead)));
  EXPECT_EQ(good->id, 1);
  EXPECT_EQ(*good->result, result);
  const AgentError error{{Code::Unavailable, "backing off", "see the log", {}}, 1500};
  const auto bad =
      decode_answer(*decode_body(encode_answer(2, std::unexpected(error)).substr(kFrameHead)));
  EXPECT_EQ(bad->id, 2);
  EXPECT_EQ(bad->result.error().error, error.error);
  EXPECT_EQ(bad->result.error().retry_after_ms, 1500);
  EXPECT_FALSE(decode_answer(object()).has_value());
}

}  // namespace
}  // namespace granary::wire

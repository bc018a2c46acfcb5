// What the gateway reads means the same in whatever pieces it arrives: the parsers by themselves.
// The same through sockets is in gateway_pieces_test.cc.
#include "base/testing/pieces.h"

#include <gtest/gtest.h>

#include "gateway/body_reader.h"
#include "gateway/limits.h"
#include "gateway/request_parser.h"
#include "gateway/response_parser.h"

namespace granary::gateway {
namespace {

using base::testing::corpus_of;
using base::testing::Cuts;
using base::testing::for_each_cutting;
using base::testing::pieces_of;
using base::testing::text_of;

// Reads a head as a session does, and says all that came of it.
template <class Parser>
Parsed feed(Parser& parser, std::string_view bytes, const Cuts& cuts) {
  Parsed last;
  std::size_t consumed = 0;
  std::string inbox;
  for (std::string_view piece : pieces_of(bytes, cuts)) {
    while (!piece.empty() && last.progress == Progress::NeedMore) {  // a buffer at a time
      const std::size_t room = std::min(kBlockBytes - inbox.size(), piece.size());
      ASSERT(room > 0);
      inbox += piece.substr(0, room);
      piece.remove_prefix(room);
      last = parser.head(inbox);
      inbox.erase(0, last.consumed);
      consumed += last.consumed;
    }
  }
  last.consumed = consumed;
  return last;
}

std::string describe_request(std::string_view bytes, const Cuts& cuts = {}) {
  RequestHead head;
  RequestParser parser;
  parser.start(head);
  const Parsed last = feed(parser, bytes, cuts);
  if (last.progress == Progress::NeedMore) return "more";
  if (last.progress == Progress::Bad) return fmt::format("bad {}", last.status);
  return fmt::format("{} bytes, {} {} {} {} {} {} {} {} {}\n{}", last.consumed, head.authority,
                     head.host.name, static_cast<int>(head.method), head.idempotent,
                     head.keep_alive, head.expects_continue, head.upgrade,
                     static_cast<int>(head.framing), head.length, head.text);
}

std::string describe_answer(std::string_view bytes, Method method, const Cuts& cuts = {}) {
  ResponseHead head;
  ResponseParser parser;
  parser.start(head, method);
  const Parsed last = feed(parser, bytes, cuts);
  if (last.progress == Progress::NeedMore) return fmt::format("more, status {}", head.status);
  if (last.progress == Progress::Bad) return "bad";
  return fmt::format("{} bytes, {} {} {} {} {} {}\n{}", last.consumed, head.status, head.keep_alive,
                     head.upgrade, static_cast<int>(head.framing), head.has_length, head.length,
                     head.text);
}

std::string describe_body(BodyReader reader, std::string_view bytes, const Cuts& cuts = {}) {
  std::string body;
  std::size_t consumed = 0;
  auto progress = BodyReader::Progress::NeedMore;
  for (std::string_view piece : pieces_of(bytes, cuts)) {
    while (!piece.empty() && progress == BodyReader::Progress::NeedMore) {
      BodyParts parts;
      const BodyReader::Step step = reader.read(piece, parts);
      for (const std::string_view part : parts) body += part;
      piece.remove_prefix(step.consumed);
      consumed += step.consumed;
      progress = step.progress;
    }
  }
  return fmt::format("{} {} {} {}", static_cast<int>(progress), consumed, reader.whole_at_end(),
                     body);
}

std::string shortened(std::string_view bytes) { return std::string(bytes.substr(0, 300)); }

// What breaks several rules may be refused for any of them.
bool both_bad(std::string_view whole, std::string_view cut) {
  return whole.starts_with("bad") && cut.starts_with("bad");
}

// A head that has no end yet may be known to be bad at once, or only when its end is there.
bool may_wait(std::string_view bytes, std::string_view whole, std::string_view cut) {
  return whole.starts_with("bad") && cut.starts_with("more") &&
         bytes.find("\r\n\r\n") == std::string_view::npos;
}

enum class Refusal { Exact, Any };

void expect_request_in_pieces(std::string_view bytes, Refusal refusal = Refusal::Exact) {
  const std::string whole = describe_request(bytes);
  for_each_cutting(bytes, [&](const Cuts& cuts) {
    const std::string cut = describe_request(bytes, cuts);
    if (may_wait(bytes, whole, cut)) return;
    if (refusal == Refusal::Any && both_bad(whole, cut)) return;
    ASSERT_EQ(cut, whole) << text_of(cuts) << "\n" << shortened(bytes);
  });
}

void expect_answer_in_pieces(std::string_view bytes, Method method) {
  const std::string whole = describe_answer(bytes, method);
  for_each_cutting(bytes, [&](const Cuts& cuts) {
    const std::string cut = describe_answer(bytes, method, cuts);
    if (may_wait(bytes, whole, cut)) return;
    ASSERT_EQ(cut, whole) << text_of(cuts) << "\n" << shortened(bytes);
  });
}

TEST(PiecesTest, ARequestsHeadMeansTheSameHoweverItIsCut) {
  for (const std::string& input : corpus_of("request_head_fuzz"))
    if (!input.empty()) expect_request_in_pieces(std::string_view(input).substr(1), Refusal::Any);
  const std::string host = "GET /x HTTP/1.1\r\nHost: acme.localhost\r\n";
  for (const std::string& head :
       {host + "\r\n", "\r\n" + host + "\r\n", "\r\n\r\n" + host + "\r\n",
        host + "Content-Length: 3\r\n\r\nabc", host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        host + "Connection: X-Hop, close\r\nX-Hop: 1\r\n\r\n", host + "X: a\nY: b\r\n\r\n",
        host + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        host + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        host + "Cookie: " + std::string(5'000, 'c') + "\r\n\r\n",
        host + "Cookie: " + std::string(9'000, 'c') + "\r\nX: y\r\n\r\n"})
    expect_request_in_pieces(head);
}

TEST(PiecesTest, AnAnswersHeadMeansTheSameHoweverItIsCut) {
  constexpr Method kMethods[] = {Method::Get, Method::Head, Method::Other};
  for (const std::string& input : corpus_of("response_head_fuzz"))
    if (!input.empty())
      expect_answer_in_pieces(std::string_view(input).substr(1),
                              kMethods[static_cast<unsigned char>(input[0]) / 64 % 3]);
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& head :
       {ok + "Content-Length: 2\r\n\r\nok", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ok + "\r\nuntil the end", std::string("HTTP/1.0 200 OK\r\n\r\nok"),
        std::string("HTTP/1.1 100 Continue\r\n\r\n"), std::string("HTTP/1.1 204 None\r\n\r\n"),
        std::string("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok),
        std::string("HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n"),
        std::string("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\nearly"),
        ok + "X: " + std::string(5'000, 'x') + "\r\nContent-Length: 2\r\n\r\nok",
        ok + "X: " + std::string(9'000, 'x') + "\r\nY: z\r\nContent-Length: 2\r\n\r\nok"})
    for (const Method method : kMethods) expect_answer_in_pieces(head, method);
}

TEST(PiecesTest, AnUnfinishedHeadHasNoStatusYet) {
  const std::string_view head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  for (std::size_t part = 0; part < head.size(); ++part)
    EXPECT_EQ(describe_answer(head.substr(0, part), Method::Get), "more, status 0") << part;
}

TEST(PiecesTest, ABodyMeansTheSameHoweverItIsCut) {
  constexpr Framing kFramings[] = {Framing::Chunked, Framing::Chunked, Framing::Length,
                                   Framing::UntilClose};
  for (const std::string& input : corpus_of("body_fuzz")) {
    if (input.size() < 2) continue;
    const auto first = static_cast<unsigned char>(input[0]);
    const Framing framing = kFramings[first % 4];
    const BodyReader reader(framing, framing == Framing::Length ? first / 4U : 0);
    const std::string_view bytes = std::string_view(input).substr(2);
    const std::string whole = describe_body(reader, bytes);
    for_each_cutting(bytes, [&](const Cuts& cuts) {
      EXPECT_EQ(describe_body(reader, bytes, cuts), whole) << text_of(cuts) << "\n"
                                                           << shortened(bytes);
    });
  }
}

}  // namespace
}  // namespace granary::gateway

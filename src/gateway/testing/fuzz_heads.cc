// The heads of requests and answers, held against a naive reading of the same lines.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "gateway/limits.h"
#include "gateway/request_parser.h"
#include "gateway/response_parser.h"
#include "gateway/testing/fuzz_targets.h"

namespace granary::gateway::testing {
namespace {

template <class Head>
struct Read {
  Parsed last;
  Head head;
  std::size_t consumed = 0;
};

// Feeds `bytes` so many at a time, as a session does.
template <class Parser, class Head>
void feed(Parser& parser, Read<Head>& into, std::string_view bytes, std::size_t step) {
  std::string inbox;
  while (into.last.progress == Progress::NeedMore && !bytes.empty()) {
    inbox += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    into.last = parser.head(inbox);
    ASSERT(into.last.consumed <= inbox.size());
    inbox.erase(0, into.last.consumed);
    into.consumed += into.last.consumed;
    // The session's buffer ends here: what is not decided within it never would be.
    ASSERT(inbox.size() < kHeadBytes || into.last.progress != Progress::NeedMore);
  }
}

Read<RequestHead> read_request(std::string_view bytes, std::size_t step) {
  Read<RequestHead> result;
  RequestParser parser;
  parser.start(result.head);
  feed(parser, result, bytes, step);
  return result;
}

Read<ResponseHead> read_response(std::string_view bytes, std::size_t step, Method method) {
  Read<ResponseHead> result;
  ResponseParser parser;
  parser.start(result.head, method);
  feed(parser, result, bytes, step);
  return result;
}

struct Line {
  std::string_view name;
  std::string_view value;
};

// The fields of a whole head, without any tolerance. The first line is left out.
std::vector<Line> naive_fields(std::string_view head) {
  std::vector<Line> fields;
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    ASSERT(end != std::string_view::npos);
    const std::string_view line = head.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      fields.push_back({{}, line});
      continue;
    }
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    fields.push_back({line.substr(0, colon), value});
  }
  return fields;
}

std::vector<std::string_view> values(const std::vector<Line>& fields, std::string_view name) {
  std::vector<std::string_view> found;
  for (const Line& line : fields)
    if (equal_ignoring_case(line.name, name)) found.push_back(line.value);
  return found;
}

// Text that goes on: lines with a name, nothing in them that could end one, none of the hop's.
void check_lines(std::string_view text, bool (*may_go)(std::string_view)) {
  ASSERT(text.ends_with("\r\n") && text.find("\r\n\r\n") == std::string_view::npos);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '\r') ASSERT(at + 1 < text.size() && text[at + 1] == '\n');
    if (c == '\n') ASSERT(at > 0 && text[at - 1] == '\r');
    ASSERT(c >= ' ' || c == '\t' || c == '\r' || c == '\n');
    ASSERT(c != 0x7f);
  }
  for (const Line& line : naive_fields(text)) {
    ASSERT(!line.name.empty() && line.name.find(' ') == std::string_view::npos);
    ASSERT(may_go(line.name));
  }
}

bool may_go_up(std::string_view name) {
  return equal_ignoring_case(name, "host") || may_go_upstream(name);
}

void check_framing(const RequestHead& head, std::string_view raw) {
  const auto fields = naive_fields(raw);
  const auto lengths = values(fields, "content-length");
  const auto codings = values(fields, "transfer-encoding");
  ASSERT(lengths.size() + codings.size() <= 1);
  ASSERT(values(fields, "host").size() == 1);
  ASSERT(values(fields, "host")[0] == head.authority);
  switch (head.framing) {
    case Framing::None:
      ASSERT(lengths.empty() && codings.empty());
      break;
    case Framing::Length:
      ASSERT(lengths.size() == 1 && std::stoull(std::string(lengths[0])) == head.length);
      break;
    case Framing::Chunked:
      ASSERT(codings.size() == 1 && equal_ignoring_case(codings[0], "chunked"));
      break;
    case Framing::UntilClose:
      ASSERT(false);  // a request cannot end so
  }
}

// The head as the silo gets it means what the client's meant.
void check_again(const RequestHead& head) {
  std::string sent = head.text;
  if (head.framing == Framing::Chunked) sent += "Transfer-Encoding: chunked\r\n";
  if (head.framing == Framing::Length) sent += fmt::format("Content-Length: {}\r\n", head.length);
  if (!head.upgrade.empty()) sent += "Connection: Upgrade\r\nUpgrade: " + head.upgrade + "\r\n";
  sent += "\r\n";
  // What is forwarded may be some bytes longer than what came: "X:y" becomes "X: y".
  if (sent.size() > kHeadBytes) return;
  const auto again = read_request(sent, sent.size());
  ASSERT(again.last.progress == Progress::Done && again.consumed == sent.size());
  ASSERT(again.head.text == head.text && again.head.host == head.host);
  ASSERT(again.head.framing == head.framing && again.head.length == head.length);
  ASSERT(again.head.upgrade == head.upgrade && again.head.method == head.method);
  ASSERT(again.head.target() == head.target());
}

template <class Head>
void check_cut(const Read<Head>& whole, const Read<Head>& cut) {
  ASSERT((whole.last.progress == Progress::Done) == (cut.last.progress == Progress::Done));
  if (whole.last.progress != Progress::Done) return;
  ASSERT(whole.consumed == cut.consumed && whole.head.text == cut.head.text);
  ASSERT(whole.head.framing == cut.head.framing && whole.head.length == cut.head.length);
  ASSERT(whole.head.keep_alive == cut.head.keep_alive);
}

Verdict verdict(Progress progress) {
  if (progress == Progress::NeedMore) return Verdict::More;
  return progress == Progress::Done ? Verdict::Taken : Verdict::Refused;
}

}  // namespace

Verdict fuzz_request_head(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return Verdict::More;
  const std::size_t step = 1 + bytes[0] % 64;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  const auto whole = read_request(text, kBlockBytes);
  check_cut(whole, read_request(text, step));
  const RequestHead& head = whole.head;
  if (whole.last.progress == Progress::Bad) {
    constexpr int kStatuses[] = {400, 405, 414, 417, 431};
    ASSERT(std::ranges::find(kStatuses, whole.last.status) != std::end(kStatuses));
  }
  if (whole.last.progress != Progress::Done) return verdict(whole.last.progress);
  ASSERT(whole.consumed == text.find("\r\n\r\n") + 4);
  ASSERT(head.target().starts_with('/'));
  ASSERT(head.text.starts_with(std::string(head.method_name()) + " " + std::string(head.target()) +
                               " HTTP/1.1\r\n"));
  check_lines(head.text, may_go_up);
  const std::size_t empty_line = text.starts_with("\r\n") ? 2 : 0;
  check_framing(head, text.substr(empty_line, whole.consumed - empty_line));
  check_again(head);
  return Verdict::Taken;
}

Verdict fuzz_response_head(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return Verdict::More;
  constexpr Method kMethods[] = {Method::Get, Method::Head, Method::Other};
  const Method method = kMethods[bytes[0] / 64 % 3];
  const std::size_t step = 1 + bytes[0] % 64;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  const auto whole = read_response(text, kBlockBytes, method);
  const auto cut = read_response(text, step, method);
  check_cut(whole, cut);
  ASSERT(whole.last.progress == Progress::Bad || whole.head.status == cut.head.status);
  const ResponseHead& head = whole.head;
  if (whole.last.progress != Progress::Done) return verdict(whole.last.progress);
  ASSERT(whole.consumed == text.find("\r\n\r\n") + 4);
  ASSERT(head.status >= 100 && head.status <= 599);
  ASSERT(head.text.starts_with(fmt::format("HTTP/1.1 {} ", head.status)));
  check_lines(head.text, may_go_downstream);
  const bool bodiless =
      method == Method::Head || head.status < 200 || head.status == 204 || head.status == 304;
  ASSERT(bodiless == (head.framing == Framing::None));
  const auto fields = naive_fields(text.substr(0, whole.consumed));
  const auto codings = values(fields, "transfer-encoding");
  const auto lengths = values(fields, "content-length");
  ASSERT(codings.empty() || lengths.empty());
  ASSERT(codings.size() <= 1 && lengths.size() <= 1);
  if (head.framing == Framing::Chunked) ASSERT(codings.size() == 1);
  if (head.framing == Framing::Length)
    ASSERT(lengths.size() == 1 && std::stoull(std::string(lengths[0])) == head.length);
  if (head.framing == Framing::UntilClose) ASSERT(codings.empty() && lengths.empty());
  return Verdict::Taken;
}

}  // namespace granary::gateway::testing

// The framing of bodies, held against a naive reader of the whole.
#include <algorithm>
#include <optional>

#include "base/check.h"
#include "gateway/body_reader.h"
#include "gateway/limits.h"
#include "gateway/testing/fuzz_targets.h"

namespace granary::gateway::testing {
namespace {

using Progress = BodyReader::Progress;

struct Read {
  Progress progress = Progress::NeedMore;
  std::string body;
  std::size_t consumed = 0;
  bool whole_at_end = false;
  bool operator==(const Read&) const = default;
};

Read read(BodyReader reader, std::string_view bytes, std::size_t step) {
  Read result;
  while (result.consumed < bytes.size() && result.progress == Progress::NeedMore) {
    BodyParts parts;
    const auto one = reader.read(bytes.substr(result.consumed, step), parts);
    ASSERT(one.consumed > 0 || one.progress == Progress::Done);
    for (const std::string_view part : parts) result.body += part;
    result.progress = one.progress;
    result.consumed += one.consumed;
    ASSERT(reader.complete() == (one.progress == Progress::Done));
  }
  result.whole_at_end = reader.whole_at_end();
  return result;
}

// The body in `bytes`, where they hold all of it, in chunks and well; else nothing.
struct Naive {
  std::string body;
  std::size_t consumed = 0;
};
std::optional<Naive> naive_chunks(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  Naive result;
  for (;;) {
    const std::size_t line = bytes.find("\r\n", result.consumed);
    if (line == std::string_view::npos) return std::nullopt;
    const std::string_view head = bytes.substr(result.consumed, line - result.consumed);
    const std::string_view digits = head.substr(0, head.find(';'));
    if (digits.empty() || digits.find_first_not_of(kHex) != std::string_view::npos)
      return std::nullopt;
    const std::size_t nonzero = std::min(digits.find_first_not_of('0'), digits.size());
    if (digits.size() - nonzero > 15) return std::nullopt;
    const std::size_t size = std::stoull(std::string(digits), nullptr, 16);
    result.consumed = line + 2;
    if (size == 0) break;
    if (bytes.size() - result.consumed < 2 || size > bytes.size() - result.consumed - 2)
      return std::nullopt;
    result.body += bytes.substr(result.consumed, size);
    result.consumed += size;
    if (bytes.substr(result.consumed, 2) != "\r\n") return std::nullopt;
    result.consumed += 2;
  }
  for (;;) {
    const std::size_t line = bytes.find("\r\n", result.consumed);
    if (line == std::string_view::npos) return std::nullopt;
    const bool last = line == result.consumed;
    result.consumed = line + 2;
    if (last) return result;
  }
}

}  // namespace

Verdict fuzz_body(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2) return Verdict::More;
  constexpr Framing kFramings[] = {Framing::Chunked, Framing::Chunked, Framing::Length,
                                   Framing::UntilClose};
  const Framing framing = kFramings[bytes[0] % 4];
  const std::uint64_t length = framing == Framing::Length ? bytes[0] / 4U : 0;
  const std::size_t step = 1 + bytes[1] % 64;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 2, bytes.size() - 2);
  const BodyReader reader(framing, length);
  const Read whole = read(reader, text, text.size());
  ASSERT(whole == read(reader, text, step));
  if (framing == Framing::UntilClose) ASSERT(whole.body == text && whole.whole_at_end);
  if (framing == Framing::Length) ASSERT(whole.body == text.substr(0, length));
  if (whole.progress == Progress::Bad) return Verdict::Refused;
  if (whole.progress != Progress::Done) return Verdict::More;
  if (framing == Framing::Chunked) {
    const auto naive = naive_chunks(text);
    ASSERT(naive && naive->body == whole.body && naive->consumed == whole.consumed);
  }
  return Verdict::Taken;
}

}  // namespace granary::gateway::testing

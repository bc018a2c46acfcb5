#include "gateway/body_reader.h"

#include <algorithm>

#include "gateway/limits.h"

namespace granary::gateway {
namespace {

constexpr int kNoDigit = -1;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : kNoDigit;
}

bool is_token_char(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f); }

}  // namespace

BodyReader::BodyReader(Framing framing, std::uint64_t length) : left_(length) {
  switch (framing) {
    case Framing::None:
      state_ = State::Done;
      break;
    case Framing::Length:
      state_ = length == 0 ? State::Done : State::Data;
      break;
    case Framing::Chunked:
      state_ = State::SizeFirst;
      break;
    case Framing::UntilClose:
      state_ = State::UntilClose;
      break;
  }
}

BodyReader::Step BodyReader::read(std::string_view bytes, BodyParts& parts) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::Done && state_ != State::Bad) {
    const bool chunk = state_ == State::ChunkData;
    if (!chunk && state_ != State::Data && state_ != State::UntilClose) {
      letter(bytes[at++]);
      continue;
    }
    if (parts.full()) break;
    const bool open = state_ == State::UntilClose;
    const std::size_t size = open ? bytes.size() - at : std::min(left_, bytes.size() - at);
    parts.add(bytes.substr(at, size));
    at += size;
    if (open) continue;
    left_ -= size;
    if (left_ == 0) state_ = chunk ? State::ChunkCr : State::Done;
  }
  if (state_ == State::Bad) return {Progress::Bad, at};
  return {state_ == State::Done ? Progress::Done : Progress::NeedMore, at};
}

// One letter of the framing.
void BodyReader::letter(char c) {
  switch (state_) {
    case State::SizeFirst:
    case State::Size:
    case State::Extension:
    case State::SizeEnd:
      state_ = size_letter(c);
      break;
    case State::ChunkCr:
      state_ = c == '\r' ? State::ChunkLf : State::Bad;
      break;
    case State::ChunkLf:
      state_ = c == '\n' ? State::SizeFirst : State::Bad;
      break;
    case State::LineFirst:
    case State::Name:
    case State::Value:
    case State::LineEnd:
    case State::LastLf:
      state_ = trailer_letter(c);
      break;
    case State::Done:
    case State::Data:
    case State::UntilClose:
    case State::ChunkData:
    case State::Bad:
      INVARIANT(false);  // read() sends none of these here
  }
}

// chunk-size [ chunk-ext ] CRLF; an extension is any text behind a semicolon.
BodyReader::State BodyReader::size_letter(char c) {
  const int digit = hex_digit(c);
  if (state_ == State::SizeFirst) {
    if (digit == kNoDigit) return State::Bad;
    left_ = static_cast<std::uint64_t>(digit);
    line_ = 1;
    return State::Size;
  }
  if (state_ == State::SizeEnd) {
    if (c != '\n') return State::Bad;
    return left_ == 0 ? State::LineFirst : State::ChunkData;
  }
  if (++line_ > kChunkLine) return State::Bad;
  if (c == '\r') return State::SizeEnd;
  if (state_ == State::Extension) return is_text(c) ? State::Extension : State::Bad;
  if (c == ';') return State::Extension;
  if (digit == kNoDigit || left_ >> 56 != 0) return State::Bad;
  left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
  return State::Size;
}

// *( name ":" value CRLF ) CRLF
BodyReader::State BodyReader::trailer_letter(char c) {
  if (++trailers_ > kTrailerBytes) return State::Bad;
  if (state_ == State::LineFirst && c == '\r') return State::LastLf;
  if (state_ == State::LastLf) return c == '\n' ? State::Done : State::Bad;
  if (state_ == State::LineEnd) return c == '\n' ? State::LineFirst : State::Bad;
  if (state_ == State::Value && c == '\r') return State::LineEnd;
  if (state_ == State::Value) return is_text(c) ? State::Value : State::Bad;
  if (state_ == State::Name && c == ':') return State::Value;
  return is_token_char(c) ? State::Name : State::Bad;
}

}  // namespace granary::gateway

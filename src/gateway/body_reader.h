// Takes the framing off a body as it arrives: nothing, a length, chunks, or until the connection
// ends. Strict where chunks are concerned; extensions and trailers are checked and dropped. Of its
// own since Beast's asserts on some ways in which a last chunk can arrive. Pure; any owner.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "gateway/heads.h"

namespace granary::gateway {

// Pieces of a body, found in a buffer: valid until that is consumed.
class BodyParts final {
 public:
  static constexpr std::size_t kMost = 16;

  void add(std::string_view part) {
    INVARIANT(count_ < kMost);
    parts_[count_++] = part;
    bytes_ += part.size();
  }
  void clear() { count_ = bytes_ = 0; }
  bool full() const { return count_ == kMost; }
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return bytes_; }
  const std::string_view* begin() const { return parts_.data(); }
  const std::string_view* end() const { return parts_.data() + count_; }

 private:
  std::array<std::string_view, kMost> parts_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

class BodyReader final {
 public:
  // Of a body that is complete before it begins.
  BodyReader() = default;
  BodyReader(Framing framing, std::uint64_t length);

  enum class Progress { NeedMore, Done, Bad };
  struct Step {
    Progress progress = Progress::NeedMore;
    std::size_t consumed = 0;  // all of it, unless `parts` are full or the body ended before
  };
  // `bytes` follow those consumed before.
  Step read(std::string_view bytes, BodyParts& parts);
  bool complete() const { return state_ == State::Done; }
  // Whether the body is whole when the connection ends here.
  bool whole_at_end() const { return state_ == State::Done || state_ == State::UntilClose; }

 private:
  enum class State {
    Done,
    Data,  // left_ bytes of a length
    UntilClose,
    SizeFirst,  // the first digit of a chunk's size
    Size,
    Extension,
    SizeEnd,    // the LF of the size's line
    ChunkData,  // left_ bytes of a chunk
    ChunkCr,
    ChunkLf,
    LineFirst,  // the first letter of a trailer, or of the end
    Name,
    Value,
    LineEnd,
    LastLf,
    Bad,
  };
  void letter(char c);
  State size_letter(char c);
  State trailer_letter(char c);

  State state_ = State::Done;
  std::uint64_t left_ = 0;
  std::uint32_t line_ = 0;      // letters of this chunk's line
  std::uint32_t trailers_ = 0;  // letters of all trailers
};

}  // namespace granary::gateway

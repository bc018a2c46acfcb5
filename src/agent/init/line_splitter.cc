#include "agent/init/line_splitter.h"

#include <cstring>

namespace granary::init {
namespace {

constexpr std::size_t kEscapeBytes = 4;  // \xNN

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// How many bytes a UTF-8 sequence has, by its first; 1 for whatever cannot begin one.
std::size_t sequence_length(unsigned char lead) {
  if (lead >= 0xf0 && lead < 0xf8) return 4;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xc0 && lead < 0xe0) return 2;
  return 1;
}

// The length of `text` without a UTF-8 sequence that has begun but not ended in it.
std::size_t whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte >= 0x80 && byte < 0xc0) continue;
    return sequence_length(byte) > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

void LineSplitter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    bytes = take_plain(bytes);
    if (bytes.empty()) return;
    const char next = bytes.front();
    if (next == '\n') {
      deliver(size_);
      piece_ = Piece::First;
    } else if (is_plain(next) || kMaxLineBytes - size_ < kEscapeBytes) {
      make_room();
      continue;
    } else {
      put_escaped(static_cast<unsigned char>(next));
    }
    bytes.remove_prefix(1);
  }
}

void LineSplitter::finish() {
  if (size_ > 0) deliver(size_);
  piece_ = Piece::First;
}

// Copies what needs no escaping and fits; returns the rest.
std::string_view LineSplitter::take_plain(std::string_view bytes) {
  const std::size_t room = kMaxLineBytes - size_;
  const std::size_t most = bytes.size() < room ? bytes.size() : room;
  std::size_t count = 0;
  while (count < most && is_plain(bytes[count])) ++count;
  std::memcpy(text_.data() + size_, bytes.data(), count);
  size_ += count;
  bytes.remove_prefix(count);
  return bytes;
}

void LineSplitter::put_escaped(unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  text_[size_++] = '\\';
  text_[size_++] = 'x';
  text_[size_++] = kDigits[byte >> 4];
  text_[size_++] = kDigits[byte & 0xf];
}

// The rest of text_ moves to its front: it belongs to the next piece.
void LineSplitter::deliver(std::size_t count) {
  sink_.on_line({text_.data(), count}, piece_);
  std::memmove(text_.data(), text_.data() + count, size_ - count);
  size_ -= count;
}

void LineSplitter::make_room() {
  deliver(whole_characters({text_.data(), size_}));
  piece_ = Piece::Continuation;
}

}  // namespace granary::init

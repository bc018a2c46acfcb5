// Cuts an app's output into log lines in bounded memory: control characters are escaped, and a
// line longer than kMaxLineBytes is delivered in pieces. Pure; one per stream. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "agent/init/limits.h"

namespace granary::init {

enum class Piece {
  First,         // the beginning of a line, nearly always the whole of it
  Continuation,  // goes on where the piece before it ended
};

class LineSink {
 public:
  // `text` is valid during the call. It holds no control characters other than tab, at most
  // kMaxLineBytes of them, and ends inside a UTF-8 sequence only if the input is not UTF-8.
  virtual void on_line(std::string_view text, Piece piece) = 0;

 protected:
  ~LineSink() = default;
};

class LineSplitter final {
 public:
  explicit LineSplitter(LineSink& sink) : sink_(sink) {}
  LineSplitter(const LineSplitter&) = delete;
  LineSplitter& operator=(const LineSplitter&) = delete;

  void feed(std::string_view bytes);
  // The stream has ended: delivers a last line that has no newline.
  void finish();

 private:
  std::string_view take_plain(std::string_view bytes);
  void put_escaped(unsigned char byte);
  void deliver(std::size_t count);
  void make_room();

  LineSink& sink_;
  std::array<char, kMaxLineBytes> text_;  // meaningful up to size_
  std::size_t size_ = 0;
  Piece piece_ = Piece::First;
};

}  // namespace granary::init

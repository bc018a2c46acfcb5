// Text of a fixed capacity, for status and log lines: nothing is allocated, what does not fit is
// cut. Single-threaded value type. Not for text from outside that must be kept whole.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <string_view>

namespace granary::init {

template <std::size_t Capacity>
class Text final {
 public:
  Text() = default;

  Text& operator<<(std::string_view part) {
    const std::size_t room = Capacity - size_;
    const std::size_t count = part.size() < room ? part.size() : room;
    std::memcpy(bytes_.data() + size_, part.data(), count);
    size_ += count;
    return *this;
  }
  template <std::integral Number>
  Text& operator<<(Number number) {
    char digits[24];
    const auto result = std::to_chars(digits, digits + sizeof digits, number);
    return *this << std::string_view(digits, static_cast<std::size_t>(result.ptr - digits));
  }

  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, Capacity> bytes_;  // meaningful up to size_
  std::size_t size_ = 0;
};

}  // namespace granary::init

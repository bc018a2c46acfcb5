// Bytes that arrive in pieces, for tests of whatever reads them: an input means the same however it
// is cut. Every test of a reader goes through for_each_cutting() with the whole corpus of its
// inputs.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/os/file.h"
#include "base/testing/world.h"

namespace granary::base::testing {

// Ascending offsets within the bytes: n of them make n + 1 pieces.
using Cuts = std::vector<std::size_t>;

inline std::vector<std::string_view> pieces_of(std::string_view bytes, const Cuts& cuts) {
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  for (const std::size_t end : cuts) {
    ASSERT(begin <= end && end <= bytes.size());
    pieces.push_back(bytes.substr(begin, end - begin));
    begin = end;
  }
  pieces.push_back(bytes.substr(begin));
  return pieces;
}

inline std::string text_of(const Cuts& cuts) {
  std::string text = "cut at";
  for (const std::size_t at : cuts) text += fmt::format(" {}", at);
  return text;
}

// Calls `check` with a cut at each byte, and then with two cuts at random places, which are the
// same in every run. Under a sanitizer, where each takes many times as long and the same cuts were
// checked without it, at every seventh byte.
template <class Check>
void for_each_cutting(std::string_view bytes, Check check) {
  constexpr int kRandomCuttings = 50;
#ifdef GRANARY_SANITIZED
  constexpr std::size_t kStride = 7;
#else
  constexpr std::size_t kStride = 1;
#endif
  for (std::size_t at = 1; at < bytes.size(); at += kStride) check(Cuts{at});
  if (bytes.size() < 3) return;
  SeededRng rng(bytes.size());
  for (int round = 0; round < kRandomCuttings; ++round) {
    const std::size_t one = 1 + rng.below(bytes.size() - 1);
    const std::size_t other = 1 + rng.below(bytes.size() - 1);
    check(Cuts{std::min(one, other), std::max(one, other)});
  }
}

// The committed inputs of a fuzz target. Tests run at the root of the source tree.
inline std::vector<std::string> corpus_of(const std::string& target) {
  constexpr std::size_t kLongestInput = 1U << 20;
  const std::string folder = "tests/fuzz/corpus/" + target;
  const auto names = os::list_folder(folder);
  ASSERT(names.has_value() && !names->empty());
  std::vector<std::string> inputs;
  for (const std::string& name : *names)
    inputs.push_back(os::read_file(folder + "/" + name, kLongestInput).value());
  return inputs;
}

}  // namespace granary::base::testing

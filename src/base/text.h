// Text that came from outside: whether it is text at all, and how to show a piece of it in an
// error without letting it forge lines or flood them. Pure functions. Not for parsing.
#pragma once

#include <string>
#include <string_view>

namespace granary::base {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

// UTF-8 without control characters (C0, DEL, C1) and without the separators and direction marks
// that make a name look like another one (U+2028, U+2029, U+202A to U+202E, U+2066 to U+2069).
bool is_printable_utf8(std::string_view bytes);

// 'text' in quotes, at most 60 bytes of it; what is not printable ASCII becomes ?.
std::string quote(std::string_view text);
// JSON is UTF-8, but what an app logs need not be: bytes that are not become U+FFFD.
std::string as_utf8(std::string_view bytes);

// Of `known`, the one that `text` was probably meant to be: at most two letters away, and fewer
// than half of them. Empty when there is none.
template <class Names>
std::string_view nearest(std::string_view text, const Names& known);

// Letters to insert, delete or change to get from one to the other. For short words.
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Names>
std::string_view nearest(std::string_view text, const Names& known) {
  std::string_view best;
  std::size_t best_distance = 3;
  for (const std::string_view name : known) {
    const std::size_t distance = edit_distance(text, name);
    if (distance < best_distance && distance * 2 <= name.size()) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace granary::base

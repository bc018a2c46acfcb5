#include "api/wire/codec.h"

namespace granary::api_wire {

std::string as_utf8(std::string_view bytes) {
  if (base::is_utf8(bytes)) return std::string(bytes);
  std::string text;
  while (!bytes.empty()) {
    std::size_t length = 1;
    while (length <= std::min<std::size_t>(4, bytes.size()) &&
           !base::is_utf8(bytes.substr(0, length)))
      ++length;
    const bool whole = length <= std::min<std::size_t>(4, bytes.size());
    text += whole ? bytes.substr(0, length) : "\xef\xbf\xbd";
    bytes.remove_prefix(whole ? length : 1);
  }
  return text;
}

}  // namespace granary::api_wire

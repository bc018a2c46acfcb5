// Whole texts compressed for HTTP, once, at release time. The same bytes for the same input and
// library version. Blocking and slow; any thread.
#pragma once

#include <string>
#include <string_view>

namespace granary::release {

// With a quality that falls with the size (release/limits.h).
std::string brotli(std::string_view bytes);
std::string gzip(std::string_view bytes);

}  // namespace granary::release

// Numbers and sizes as people read them, in texts of the API and on the command line. Pure
// functions; any thread. Not for documents that programs read: there a size is a number of bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace granary::base {

// "1 file", "2 files".
std::string counted(std::uint64_t count, std::string_view one);
// "512 B", "3.4 MiB".
std::string human_bytes(std::uint64_t bytes);

}  // namespace granary::base

// Empties the folder for temporary files before the app starts: whatever an earlier life has left
// there, nested as deeply as it likes. Allocates nothing, follows no link, holds few descriptors.
// Single-threaded.
#pragma once

#include <chrono>
#include <span>

namespace granary::init {

struct EmptyingBounds {
  // By the wall clock. What was changed since belongs to another service of the account, which has
  // started meanwhile, and stays.
  std::chrono::nanoseconds older_than{0};
  std::chrono::milliseconds longest{0};
};
// `memory` is to work in: 8 KiB at least, aligned as dirent64. False: not all of it could be
// removed in time; the rest is still there.
bool empty_folder(const char* path, std::span<char> memory, EmptyingBounds bounds);

}  // namespace granary::init

// Bounds of a release's bundle, the same for whoever packs, receives and unpacks it, each with its
// reason. A struct rather than constants, so that tests can meet a bound without 50,000 files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace granary::wire {

struct BundleLimits {
  // Files, folders and links together. A large Python virtual environment has 20,000; unpacking
  // this many takes some seconds.
  std::size_t entries = 50'000;
  // One file: a model or a statically linked program fits; it is streamed, never held in memory.
  std::uint64_t file_bytes = 256ULL << 20;
  // All files. Unpacked once per machine and release, so 100 releases are at most 50 GiB.
  std::uint64_t total_bytes = 512ULL << 20;
  // A path inside the bundle; with the data directory before it, far below PATH_MAX (4,096).
  std::size_t path_bytes = 512;
  // Folders in folders: the walk holds one descriptor for each.
  std::size_t depth = 32;
};

// What the tar format may add to the contents of each entry: header, long name and long link
// (each a header and its blocks), padding.
inline constexpr std::uint64_t kTarOverhead = 4096;

// .granaryignore: some hundred patterns; each is tried on each path.
inline constexpr std::size_t kMaxIgnoreBytes = 64U << 10;
inline constexpr std::size_t kMaxIgnorePatterns = 500;

// Fixed, for the same bytes everywhere. 9 packs at about 60 MB/s, 5 % larger than 19 does.
inline constexpr int kZstdLevel = 9;

}  // namespace granary::wire

// Bounds of a release's bundle, the same for whoever packs, receives and unpacks it, each with its
// reason. A struct rather than constants, so that tests can meet a bound without 50,000 files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace granary::wire {

struct BundleLimits {
  // Files, folders and links together. Node-RED with Express has 11,000 in node_modules, a frontend
  // framework with its build tools 40,000 to 80,000; this many take a minute to pack and to unpack.
  std::size_t entries = 200'000;
  // One file: the largest library of PyTorch has 430 MB; it is streamed, never held in memory.
  std::uint64_t file_bytes = 512ULL << 20;
  // All files: dependencies are in the release, and PyTorch's alone have 1 GB. Unpacked once per
  // machine and release, so the 10 releases that are kept are at most 20 GiB.
  std::uint64_t total_bytes = 2ULL << 30;
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

// How much of a file is looked at for a private key or a token; larger files are none.
inline constexpr std::size_t kSecretLook = 64U << 10;
// Suspects that are kept until the walk has ended, and those that an error names.
inline constexpr std::size_t kMaxSecretsFound = 1'000;
inline constexpr std::size_t kMaxSecretsNamed = 10;

// Fixed, for the same bytes everywhere. 9 packs at about 60 MB/s, 5 % larger than 19 does.
inline constexpr int kZstdLevel = 9;

}  // namespace granary::wire

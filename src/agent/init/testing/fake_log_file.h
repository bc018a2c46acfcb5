// A log file in memory that can run out of space or fail, for tests of the log ring.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "agent/init/log_ring.h"

namespace granary::init {

class FakeLogFile final : public LogFile {
 public:
  std::string bytes;
  std::size_t capacity = static_cast<std::size_t>(-1);  // beyond it: ENOSPC, after a partial write
  int fail_with = 0;                                    // an errno for every write and truncate

  long size() override { return static_cast<long>(bytes.size()); }

  long read_at(std::span<char> into, std::uint64_t offset) override {
    if (offset >= bytes.size()) return 0;
    const std::size_t count = std::min(into.size(), bytes.size() - offset);
    std::memcpy(into.data(), bytes.data() + offset, count);
    return static_cast<long>(count);
  }

  long write_at(std::string_view text, std::uint64_t offset) override {
    if (fail_with != 0) return -fail_with;
    const std::size_t end = offset + text.size();
    const std::size_t fits = end > capacity ? capacity - std::min(capacity, offset) : text.size();
    if (bytes.size() < offset + fits) bytes.resize(offset + fits);
    std::memcpy(bytes.data() + offset, text.data(), fits);
    return fits < text.size() ? -ENOSPC : 0;
  }

  long truncate(std::uint64_t size) override {
    if (fail_with != 0) return -fail_with;
    bytes.resize(size);
    return 0;
  }
};

}  // namespace granary::init

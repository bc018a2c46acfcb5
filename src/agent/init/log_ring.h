// The app's log on disk: a ring of two files that together never exceed their limit. The newer
// file is appended to; when it is half the limit long, the older one is emptied and takes over.
// Each begins with `#granary-log N`, N counting the files ever begun, so that a reader and the
// next start of the silo can tell which is newer. The files are opened to append, since the agent
// adds lines as well. Single-threaded. Not for reading logs back.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/init/limits.h"

namespace granary::init {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// One file of the ring. Every call returns what the kernel would: a count, or a negative errno.
class LogFile {
 public:
  virtual long size() = 0;
  virtual long read_at(std::span<char> into, std::uint64_t offset) = 0;
  // 0 when all was written. After an error any part of it may have been.
  virtual long write_at(std::string_view bytes, std::uint64_t offset) = 0;
  virtual long truncate(std::uint64_t size) = 0;

 protected:
  ~LogFile() = default;
};

class LogRing final {
 public:
  // The files must outlive the ring. `limit` counts both, and is at least kMinLogBytes.
  LogRing(LogFile& first, LogFile& second, std::uint64_t limit);
  LogRing(const LogRing&) = delete;
  LogRing& operator=(const LogRing&) = delete;

  // Goes on with the newer of two files, of an earlier run or begun by the agent; mends what the
  // end of that run left behind.
  void open();
  // Adds `2026-11-24T07:13:00.123Z TAG TEXT`. `text` holds no newline and is cut at
  // kMaxLineBytes, `tag` is short. Never fails: what cannot be written is dropped, counted, and
  // told in a line of its own once writing works again.
  void append(WallTime time, std::string_view tag, std::string_view text);
  // Hands to the files what append() has gathered.
  void flush();

  std::uint64_t dropped() const { return dropped_; }

 private:
  void put(WallTime time, std::string_view tag, std::string_view text);
  void tell_dropped(WallTime time);
  bool rotate();
  void mend(LogFile& file);

  LogFile* files_[2];
  const std::uint64_t half_;
  int active_ = -1;             // index of the file appended to; -1 before the first
  std::uint64_t sequence_ = 0;  // of the active file
  // Safety: offset_ + batch_size_ <= half_, so both files together stay within the limit.
  std::uint64_t offset_ = 0;  // end of the active file
  std::array<char, kLogBatchBytes> batch_;
  std::size_t batch_size_ = 0;
  std::uint64_t batch_lines_ = 0;
  std::uint64_t dropped_ = 0;
  int last_error_ = 0;
};

inline constexpr std::size_t kTimeBytes = 24;
// 2026-11-24T07:13:00.123Z
void format_time(WallTime time, std::span<char, kTimeBytes> into);

inline constexpr std::size_t kHeaderBytes = 34;
// `#granary-log 00000000000000000001\n`
void format_header(std::uint64_t sequence, std::span<char, kHeaderBytes> into);
// 0 if `text` is not exactly such a header; numbers begin at 1.
std::uint64_t parse_header(std::string_view text);

}  // namespace granary::init

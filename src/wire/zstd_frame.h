// One zstd frame in a file, read or written piece by piece: what bundles and data archives are
// kept in. Bounded memory whatever the frame claims. Each is owned and used by one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::wire {

// The largest window that a frame may ask for is 2^25 bytes (32 MiB): more than the levels in use
// need (8 MiB), and no more than a reader should spend.
inline constexpr int kMaxWindowLog = 25;

class ZstdReader final {
 public:
  // Errors: NotFound; Refused for a link.
  static base::Result<std::unique_ptr<ZstdReader>> open(const std::string& path);
  // From where the descriptor stands.
  static std::unique_ptr<ZstdReader> on(base::os::Fd in);
  ~ZstdReader();
  ZstdReader(const ZstdReader&) = delete;
  ZstdReader& operator=(const ZstdReader&) = delete;

  // The next piece of what the frame holds, valid until the next call; empty at its end, which is
  // the file's. Errors: InvalidArgument: no frame, cut short, damaged, or something follows it.
  base::Result<std::string_view> pull();
  // Of the file, as far as it was read: all of it once pull() has returned nothing.
  std::uint64_t packed_bytes() const;
  std::string packed_sha256();  // once, then

 private:
  struct State;
  explicit ZstdReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class ZstdWriter final {
 public:
  // A new file, mode 0600. Errors: AlreadyExists.
  static base::Result<std::unique_ptr<ZstdWriter>> create(const std::string& path, int level);
  static std::unique_ptr<ZstdWriter> on(base::os::Fd out, int level);
  ~ZstdWriter();
  ZstdWriter(const ZstdWriter&) = delete;
  ZstdWriter& operator=(const ZstdWriter&) = delete;

  base::Result<void> write(std::string_view plain);
  struct Finished {
    std::uint64_t bytes = 0;  // of the file
    std::string sha256;       // of the file
  };
  // Nothing is written after it. Errors: Exhausted.
  base::Result<Finished> finish();
  // On the disk when it returns. After finish().
  base::Result<void> sync();
  // After finish(): the file, whoever wants to read it.
  base::os::Fd take_file();

 private:
  struct State;
  explicit ZstdWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace granary::wire

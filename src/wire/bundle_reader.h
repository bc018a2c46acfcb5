// The reading half of the bundle format: entries out of a zstd frame with a tar archive in it,
// hashed and counted on the way, whoever wrote it. Checks the form; what an entry may be is for
// the caller (wire/bundle_entry.h). Owned and used by one thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "wire/bundle_entry.h"

namespace granary::wire {

class BundleReader final {
 public:
  // Stops when the archive grows beyond what the limits allow, however small the bundle is.
  static base::Result<std::unique_ptr<BundleReader>> open(const std::string& path,
                                                          const BundleLimits& limits);
  ~BundleReader();
  BundleReader(const BundleReader&) = delete;
  BundleReader& operator=(const BundleReader&) = delete;

  // The next entry as the archive has it, unchecked but for its form; nothing at the end.
  // Errors: InvalidArgument (no bundle; a hard link, sparse file or strange mode), Exhausted.
  base::Result<std::optional<BundleEntry>> next();
  // Contents of the current file; an empty view at its end. Valid until the next call.
  base::Result<std::string_view> read();
  struct Finished {
    std::string hash;
    std::uint64_t bytes = 0;  // of the bundle
  };
  // After next() has returned nothing: reads what is left and checks that the frame is whole.
  base::Result<Finished> finish();

 private:
  struct State;
  explicit BundleReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace granary::wire

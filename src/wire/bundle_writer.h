// The writing half of the bundle format: entries in, a tar archive in a zstd frame out, hashed on
// the way. For pack(). Owned and used by one thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "wire/bundle_entry.h"

namespace granary::wire {

class BundleWriter final {
 public:
  static base::Result<std::unique_ptr<BundleWriter>> create(const std::string& path);
  ~BundleWriter();
  BundleWriter(const BundleWriter&) = delete;
  BundleWriter& operator=(const BundleWriter&) = delete;

  // `content` as in TreeVisitor. Errors: Conflict when the file is not as long as the entry says.
  base::Result<void> add(const BundleEntry& entry, int content);
  struct Finished {
    std::string hash;
    std::uint64_t bytes = 0;
  };
  // Call once, at the end.
  base::Result<Finished> finish();

 private:
  struct State;
  explicit BundleWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace granary::wire

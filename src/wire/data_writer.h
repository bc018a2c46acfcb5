// The writing half of a data archive: entries in, a pax tar archive in a zstd frame out. For
// pack_data(). Owned and used by one thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "wire/data_contents.h"
#include "wire/data_entry.h"

namespace granary::wire {

// Of an open file of this size: where there is something, so that holes cost nothing.
base::Result<std::vector<DataSegment>> segments_of(int file, std::uint64_t size);

class DataWriter final {
 public:
  // A new file. Errors: AlreadyExists.
  static base::Result<std::unique_ptr<DataWriter>> create(const std::string& path);
  ~DataWriter();
  DataWriter(const DataWriter&) = delete;
  DataWriter& operator=(const DataWriter&) = delete;

  // All but files.
  base::Result<void> add(const DataEntry& entry);
  // A file: what the descriptor has in these segments.
  struct Copied {
    std::uint64_t bytes = 0;
    bool changed = false;  // it was shorter meanwhile; zeros are in the place of the rest
  };
  base::Result<Copied> add_file(const DataEntry& entry, int file,
                                std::span<const DataSegment> segments, const DataPulse& pulse);
  // contents.json and the end; on the disk when it returns.
  base::Result<DataArchiveInfo> finish(const DataTotals& totals);

 private:
  struct State;
  explicit DataWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace granary::wire

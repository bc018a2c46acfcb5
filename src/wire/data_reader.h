// The reading half of a data archive: entries out of a zstd frame with a tar archive in it, whoever
// wrote it. Checks the form; what an entry may be is for the caller (wire/data_entry.h). Owned and
// used by one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "wire/data_entry.h"

namespace granary::wire {

class DataReader final {
 public:
  // Errors: NotFound; InvalidArgument: no data archive, or one of a newer version.
  static base::Result<std::unique_ptr<DataReader>> open(const std::string& path);
  ~DataReader();
  DataReader(const DataReader&) = delete;
  DataReader& operator=(const DataReader&) = delete;

  // Of its format.
  int version() const;

  // The next entry, unchecked but for its form; nothing when contents.json is next, which block()
  // then reads. Errors: InvalidArgument (damaged, a device), Exhausted (headers without end).
  base::Result<std::optional<DataEntry>> next();
  struct Block {
    std::uint64_t offset = 0;
    std::string_view bytes;  // empty: the end; valid until the next call
  };
  // What is stored of the current file, in order, within its size.
  base::Result<Block> block();
  struct Finished {
    std::uint64_t bytes = 0;  // of the archive's file
    std::string sha256;
  };
  // After contents.json: that nothing follows.
  base::Result<Finished> finish();

 private:
  struct State;
  explicit DataReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What every archive begins with.
inline constexpr const char* kDataFormatName = "format";
inline constexpr std::string_view kDataFormatWords = "granary data archive ";
inline constexpr const char* kDataContentsName = "contents.json";

}  // namespace granary::wire

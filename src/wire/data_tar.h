// Entries of a data archive as pax tar: headers, bodies, and the maps of files with holes (GNU's
// sparse format 1.0), piece by piece into a zstd frame. Of its own, since libarchive, which reads
// them, gives files with holes another name where their paths are long, and counts holes byte by
// byte. For data_writer.h; owned and used by one thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/data_entry.h"
#include "wire/zstd_frame.h"

namespace granary::wire {

class DataTar final {
 public:
  explicit DataTar(ZstdWriter& out) : out_(out) {}

  // The header of an entry, which the archive calls `name`. `segments`: of a file, what is stored
  // of it; then follows all of that as its body.
  base::Result<void> begin(const DataEntry& entry, const std::string& name,
                           std::span<const DataSegment> segments);
  base::Result<void> body(std::string_view bytes);
  base::Result<void> end();  // of the body
  base::Result<void> finish();

 private:
  base::Result<void> pad();
  base::Result<void> write_map(std::span<const DataSegment> map);

  ZstdWriter& out_;
  std::uint64_t written_ = 0;
};

}  // namespace granary::wire

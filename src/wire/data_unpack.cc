#include "base/check.h"
#include "base/hash.h"
#include "wire/data_archive.h"
#include "wire/data_contents.h"
#include "wire/data_reader.h"
#include "wire/data_sink.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

// One reading of an archive, from its beginning to its end, every rule checked on the way.
class Reading final {
 public:
  Reading(DataReader& reader, DataContents& contents, const DataLimits& limits, DataSink& sink,
          const DataPulse& pulse)
      : reader_(reader), contents_(contents), limits_(limits), sink_(sink), pulse_(pulse) {}

  Result<DataArchiveInfo> run() {
    for (;;) {
      TRY_ASSIGN(const std::optional<DataEntry> entry, reader_.next());
      if (!entry) break;
      if (pulse_) TRY(pulse_());
      TRY(take(*entry));
    }
    TRY(compare_contents());
    TRY_ASSIGN(const DataReader::Finished finished, reader_.finish());
    TRY(sink_.finish());
    return DataArchiveInfo{finished.bytes, finished.sha256, totals_};
  }

 private:
  Result<void> take(const DataEntry& entry) {
    if (++entries_ > limits_.entries)
      return base::fail(Code::Exhausted, "the archive has more than {} entries", limits_.entries);
    TRY(check_data_entry(entry));
    TRY(order_.add(entry));
    TRY(sink_.begin(entry));
    switch (entry.kind) {
      case DataKind::File:
        ++totals_.files;
        return take_file(entry);
      case DataKind::Folder:
        // A part's own folder is one that was counted already.
        if (entry.part == 0 || !entry.path.empty()) ++totals_.folders;
        break;
      case DataKind::HardLink:
        ++totals_.hard_links;
        [[fallthrough]];
      case DataKind::Link:
        ++totals_.links;
        break;
    }
    return contents_.add(entry, {});
  }

  Result<void> take_file(const DataEntry& entry) {
    base::Sha256 hash;
    SegmentMap map;
    for (;;) {
      TRY_ASSIGN(const DataReader::Block block, reader_.block());
      if (block.bytes.empty()) break;
      if (pulse_) TRY(pulse_());
      totals_.bytes += block.bytes.size();
      if (totals_.bytes > limits_.total_bytes)
        return base::fail(Code::Exhausted, "the archive holds more than {} bytes",
                          limits_.total_bytes);
      hash.update(block.bytes);
      map.add({block.offset, block.bytes.size()});
      TRY(sink_.write(block.offset, block.bytes));
    }
    TRY(sink_.end_file(entry));
    return contents_.add(entry, {hash.finish(), map.digest(entry.size)});
  }

  Result<void> compare_contents() {
    if (entries_ == 0)
      return base::fail(Code::InvalidArgument, "the archive is damaged: it has no folder data/");
    for (;;) {
      TRY_ASSIGN(const DataReader::Block block, reader_.block());
      if (block.bytes.empty()) break;
      TRY(contents_.compare(block.bytes));
    }
    return contents_.compare_end(totals_);
  }

  DataReader& reader_;
  DataContents& contents_;
  const DataLimits& limits_;
  DataSink& sink_;
  const DataPulse& pulse_;
  DataOrder order_;
  DataTotals totals_;
  std::uint64_t entries_ = 0;
};

Result<DataArchiveInfo> read_into(const std::string& archive, const DataLimits& limits,
                                  DataSink& sink, const DataPulse& pulse) {
  TRY_ASSIGN(const auto reader, DataReader::open(archive));
  TRY_ASSIGN(const auto contents, DataContents::open(archive, reader->version()));
  return Reading(*reader, *contents, limits, sink, pulse).run();
}

}  // namespace

Result<DataArchiveInfo> check_data(const std::string& archive, const DataLimits& limits,
                                   const DataPulse& pulse) {
  NullDataSink nowhere;
  return read_into(archive, limits, nowhere, pulse);
}

Result<DataArchiveInfo> unpack_data(const std::string& archive, const std::string& folder,
                                    const DataUnpackOptions& options) {
  TRY_ASSIGN(base::os::Folder root, base::os::Folder::open(folder));
  DataTreeSink tree(std::move(root), options.uid, options.gid);
  return read_into(archive, options.limits, tree, options.pulse);
}

}  // namespace granary::wire

#include "wire/data_writer.h"

#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/syscall.h"
#include "wire/data_reader.h"
#include "wire/data_tar.h"
#include "wire/zstd_frame.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kChunk = 1U << 20;
constexpr std::size_t kZeros = 64U << 10;  // at once, in the place of what is gone
// 3 packs at 300 MB/s a core and is within a tenth of the size that 9 takes four times as long for.
constexpr int kDataZstdLevel = 3;

// With holes of at least this size.
Result<std::vector<DataSegment>> find_segments(int file, std::uint64_t size,
                                               std::uint64_t smallest_hole) {
  std::vector<DataSegment> segments;
  for (std::uint64_t at = 0; at < size && segments.size() <= kMaxSegments;) {
    const off_t data = ::lseek(file, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // nothing more
    if (data < 0) return std::unexpected(base::os::from_errno(errno, "lseek", "SEEK_DATA"));
    TRY_ASSIGN(const off_t hole, base::os::checked("lseek", "SEEK_HOLE",
                                                   [&] { return ::lseek(file, data, SEEK_HOLE); }));
    const auto from = static_cast<std::uint64_t>(data);
    const std::uint64_t end = std::min(static_cast<std::uint64_t>(hole), size);
    if (from >= end) break;  // it grew meanwhile
    if (!segments.empty() &&
        from - (segments.back().offset + segments.back().length) < smallest_hole) {
      segments.back().length = end - segments.back().offset;
    } else {
      segments.push_back({from, end - from});
    }
    at = end;
  }
  return segments;
}

}  // namespace

Result<std::vector<DataSegment>> segments_of(int file, std::uint64_t size) {
  for (std::uint64_t smallest_hole = 1;; smallest_hole = std::max(smallest_hole, kChunk / 64) * 2) {
    TRY_ASSIGN(auto segments, find_segments(file, size, smallest_hole));
    if (segments.size() <= kMaxSegments) return segments;
  }
}

struct DataWriter::State {
  std::unique_ptr<ZstdWriter> out;
  std::unique_ptr<DataContents> contents;
  std::unique_ptr<DataTar> tar;
  std::string chunk = std::string(kChunk, '\0');
  const std::string zeros = std::string(kZeros, '\0');

  // What the file has there; fewer bytes than asked for when it is shorter.
  Result<std::string_view> read(int file, std::uint64_t offset, std::uint64_t length) {
    const std::size_t wanted = std::min<std::uint64_t>(length, chunk.size());
    TRY_ASSIGN(const ssize_t got, base::os::checked("pread", "data", [&] {
                 return ::pread(file, chunk.data(), wanted, static_cast<off_t>(offset));
               }));
    return std::string_view(chunk).substr(0, static_cast<std::size_t>(got));
  }

  Result<void> begin_own_file(const char* name, std::uint64_t size) {
    DataEntry entry;
    entry.mode = 0644;
    entry.size = size;
    const DataSegment whole{0, size};
    return tar->begin(entry, name, {&whole, 1});
  }
};

DataWriter::DataWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataWriter::~DataWriter() = default;

Result<std::unique_ptr<DataWriter>> DataWriter::create(const std::string& path) {
  auto state = std::make_unique<State>();
  TRY_ASSIGN(state->contents, DataContents::open(path, kDataArchiveVersion));
  TRY_ASSIGN(state->out, ZstdWriter::create(path, kDataZstdLevel));
  state->tar = std::make_unique<DataTar>(*state->out);
  const std::string words = fmt::format("{}{}\n", kDataFormatWords, kDataArchiveVersion);
  TRY(state->begin_own_file(kDataFormatName, words.size()));
  TRY(state->tar->body(words));
  TRY(state->tar->end());
  return std::unique_ptr<DataWriter>(new DataWriter(std::move(state)));
}

Result<void> DataWriter::add(const DataEntry& entry) {
  INVARIANT(entry.kind != DataKind::File);
  TRY(state_->tar->begin(entry, name_in_archive(entry.part, entry.path), {}));
  return state_->contents->add(entry, {});
}

Result<DataWriter::Copied> DataWriter::add_file(const DataEntry& entry, int file,
                                                std::span<const DataSegment> segments,
                                                const DataPulse& pulse) {
  TRY(state_->tar->begin(entry, name_in_archive(entry.part, entry.path), segments));
  base::Sha256 hash;
  SegmentMap map;
  Copied copied;
  for (const DataSegment& segment : segments) {
    map.add(segment);
    for (std::uint64_t at = segment.offset; at < segment.offset + segment.length;) {
      if (pulse) TRY(pulse());
      const std::uint64_t left = segment.offset + segment.length - at;
      TRY_ASSIGN(std::string_view bytes, state_->read(file, at, left));
      if (bytes.empty()) {
        copied.changed = true;
        bytes = std::string_view(state_->zeros).substr(0, left);
      }
      hash.update(bytes);
      TRY(state_->tar->body(bytes));
      at += bytes.size();
      copied.bytes += bytes.size();
    }
  }
  TRY(state_->tar->end());
  TRY(state_->contents->add(entry, {hash.finish(), map.digest(entry.size)}));
  return copied;
}

Result<DataArchiveInfo> DataWriter::finish(const DataTotals& totals) {
  TRY_ASSIGN(const std::uint64_t size, state_->contents->finish(totals));
  TRY(state_->begin_own_file(kDataContentsName, size));
  for (;;) {
    TRY_ASSIGN(const std::string piece, state_->contents->piece());
    if (piece.empty()) break;
    TRY(state_->tar->body(piece));
  }
  TRY(state_->tar->end());
  TRY(state_->tar->finish());
  TRY_ASSIGN(const ZstdWriter::Finished finished, state_->out->finish());
  TRY(state_->out->sync());
  return DataArchiveInfo{finished.bytes, finished.sha256, totals};
}

}  // namespace granary::wire

#include "wire/data_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/syscall.h"
#include "wire/data_reader.h"
#include "wire/zstd_frame.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kChunk = 1U << 20;
// 3 packs at 300 MB/s a core and is within a tenth of the size that 9 takes four times as long for.
constexpr int kDataZstdLevel = 3;

struct Free {
  void operator()(archive* writer) const { ::archive_write_free(writer); }
  void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};

std::string in_archive(const std::string& path) {
  return path.empty() ? kDataFolderName : std::string(kDataFolderName) + "/" + path;
}

unsigned type_of(DataKind kind) {
  switch (kind) {
    case DataKind::File:
    case DataKind::HardLink:
      return AE_IFREG;
    case DataKind::Folder:
      return AE_IFDIR;
    case DataKind::Link:
      return AE_IFLNK;
  }
  return 0;
}

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
  std::unique_ptr<archive, Free> tar{::archive_write_new()};
  std::string chunk = std::string(kChunk, '\0');
  const std::string zeros = std::string(kChunk, '\0');
  base::Error error;  // why a callback said no: libarchive only passes on that it did

  static la_ssize_t on_write(archive* /*tar*/, void* self, const void* data, std::size_t size) {
    auto* state = static_cast<State*>(self);
    if (auto written = state->out->write({static_cast<const char*>(data), size}); !written) {
      state->error = written.error();
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

  Result<void> checked(la_ssize_t outcome) {
    if (outcome >= ARCHIVE_OK) return {};
    if (!error.message.empty()) return std::unexpected(error);
    const char* why = ::archive_error_string(tar.get());
    return base::fail(Code::Internal, "tar: {}", why == nullptr ? "failed" : why);
  }

  Result<void> header(const DataEntry& entry, const std::string& name,
                      std::span<const DataSegment> segments) {
    const std::unique_ptr<archive_entry, Free> made(::archive_entry_new());
    archive_entry* to = made.get();
    INVARIANT(to != nullptr);
    ::archive_entry_copy_pathname(to, name.c_str());
    ::archive_entry_set_filetype(to, type_of(entry.kind));
    ::archive_entry_set_perm(to, entry.mode);
    ::archive_entry_set_mtime(to, entry.mtime_seconds, static_cast<long>(entry.mtime_nanoseconds));
    ::archive_entry_set_size(to, static_cast<la_int64_t>(entry.size));
    if (entry.kind == DataKind::Link) ::archive_entry_copy_symlink(to, entry.target.c_str());
    if (entry.kind == DataKind::HardLink)
      ::archive_entry_copy_hardlink(to, in_archive(entry.target).c_str());
    for (const auto& [attribute, value] : entry.attributes)
      ::archive_entry_xattr_add_entry(to, attribute.c_str(), value.data(), value.size());
    for (const DataSegment& segment : segments)
      ::archive_entry_sparse_add_entry(to, static_cast<la_int64_t>(segment.offset),
                                       static_cast<la_int64_t>(segment.length));
    // A file that is one hole says so with a part that is nothing.
    if (segments.empty() && entry.size > 0) ::archive_entry_sparse_add_entry(to, 0, 0);
    return checked(::archive_write_header(tar.get(), to));
  }

  Result<void> write(std::string_view bytes) {
    return checked(::archive_write_data(tar.get(), bytes.data(), bytes.size()));
  }

  // libarchive counts holes by bytes that it is given, and writes nothing of them.
  Result<void> pass_hole(std::uint64_t length) {
    for (; length > 0; length -= std::min<std::uint64_t>(length, zeros.size()))
      TRY(write(std::string_view(zeros).substr(0, length)));
    return {};
  }

  // What the file has there; fewer bytes than asked for when it is shorter.
  Result<std::string_view> read(int file, std::uint64_t offset, std::uint64_t length) {
    const std::size_t wanted = std::min<std::uint64_t>(length, chunk.size());
    TRY_ASSIGN(const ssize_t got, base::os::checked("pread", "data", [&] {
                 return ::pread(file, chunk.data(), wanted, static_cast<off_t>(offset));
               }));
    return std::string_view(chunk).substr(0, static_cast<std::size_t>(got));
  }

  Result<void> small_file(const char* name, std::uint64_t size) {
    DataEntry entry;
    entry.mode = 0644;
    entry.size = size;
    const DataSegment whole{0, size};
    return header(entry, name, {&whole, 1});
  }
};

DataWriter::DataWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataWriter::~DataWriter() = default;

Result<std::unique_ptr<DataWriter>> DataWriter::create(const std::string& path) {
  auto state = std::make_unique<State>();
  INVARIANT(state->tar);
  TRY_ASSIGN(state->contents, DataContents::open(path));
  TRY_ASSIGN(state->out, ZstdWriter::create(path, kDataZstdLevel));
  archive* tar = state->tar.get();
  TRY(state->checked(::archive_write_set_format_pax(tar)));
  // Names are bytes, in no character set; and each attribute once.
  TRY(state->checked(::archive_write_set_options(tar, "hdrcharset=BINARY,xattrheader=SCHILY")));
  TRY(state->checked(::archive_write_set_bytes_per_block(tar, 0)));
  TRY(state->checked(::archive_write_open(tar, state.get(), nullptr, State::on_write, nullptr)));
  const std::string words = fmt::format("{}{}\n", kDataFormatWords, kDataArchiveVersion);
  TRY(state->small_file(kDataFormatName, words.size()));
  TRY(state->write(words));
  return std::unique_ptr<DataWriter>(new DataWriter(std::move(state)));
}

Result<void> DataWriter::add(const DataEntry& entry) {
  INVARIANT(entry.kind != DataKind::File);
  TRY(state_->header(entry, in_archive(entry.path), {}));
  return state_->contents->add(entry, {});
}

Result<DataWriter::Copied> DataWriter::add_file(const DataEntry& entry, int file,
                                                std::span<const DataSegment> segments,
                                                const DataPulse& pulse) {
  TRY(state_->header(entry, in_archive(entry.path), segments));
  base::Sha256 hash;
  SegmentMap map;
  Copied copied;
  std::uint64_t at = 0;
  for (const DataSegment& segment : segments) {
    TRY(state_->pass_hole(segment.offset - at));
    map.add(segment);
    for (at = segment.offset; at < segment.offset + segment.length;) {
      if (pulse) TRY(pulse());
      const std::uint64_t left = segment.offset + segment.length - at;
      TRY_ASSIGN(std::string_view bytes, state_->read(file, at, left));
      if (bytes.empty()) {
        copied.changed = true;
        bytes = std::string_view(state_->zeros).substr(0, left);
      }
      hash.update(bytes);
      TRY(state_->write(bytes));
      at += bytes.size();
      copied.bytes += bytes.size();
    }
  }
  TRY(state_->pass_hole(entry.size - at));
  TRY(state_->contents->add(entry, {hash.finish(), map.digest(entry.size)}));
  return copied;
}

Result<DataArchiveInfo> DataWriter::finish(const DataTotals& totals) {
  TRY_ASSIGN(const std::uint64_t size, state_->contents->finish(totals));
  TRY(state_->small_file(kDataContentsName, size));
  for (;;) {
    TRY_ASSIGN(const std::string piece, state_->contents->piece());
    if (piece.empty()) break;
    TRY(state_->write(piece));
  }
  TRY(state_->checked(::archive_write_close(state_->tar.get())));
  TRY_ASSIGN(const ZstdWriter::Finished finished, state_->out->finish());
  TRY(state_->out->sync());
  return DataArchiveInfo{finished.bytes, finished.sha256, totals};
}

}  // namespace granary::wire

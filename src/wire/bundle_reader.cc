#include "wire/bundle_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "wire/zstd_frame.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;

constexpr std::size_t kChunk = 128U << 10;
constexpr std::string_view kPackAgain =
    "Pack it with `granary release create`, or with tar and zstd from plain files";

struct Free {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};

base::Failure no_bundle(std::string_view why) {
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("this is not a valid bundle: {}", why),
                                std::string(kPackAgain));
}

base::Failure refused(const std::string& path, std::string_view why) {
  return base::fail_with_advice(Code::InvalidArgument, fmt::format("{} {}", base::quote(path), why),
                                std::string(kPackAgain));
}

Result<EntryKind> kind_of(const std::string& path, unsigned type) {
  switch (type) {
    case AE_IFREG:
      return EntryKind::File;
    case AE_IFDIR:
      return EntryKind::Folder;
    case AE_IFLNK:
      return EntryKind::Link;
    case AE_IFIFO:
      return EntryKind::Fifo;
    case AE_IFSOCK:
      return EntryKind::Socket;
    case AE_IFCHR:
    case AE_IFBLK:
      return EntryKind::Device;
    default:
      return refused(path, "is of an unknown kind");
  }
}

// libarchive keeps the bytes of a name where the header had bytes, and UTF-8 where it said so.
std::string text_of(const char* bytes, const char* utf8) {
  if (bytes != nullptr) return bytes;
  return utf8 == nullptr ? "" : utf8;
}

}  // namespace

struct BundleReader::State {
  explicit State(const BundleLimits& bounds)
      : archive_bound(bounds.total_bytes + (bounds.entries + 1) * kTarOverhead) {}

  std::uint64_t archive_bound;
  std::uint64_t archive_bytes = 0;
  std::unique_ptr<ZstdReader> in;
  base::Sha256 hash;
  std::unique_ptr<archive, Free> tar{::archive_read_new()};
  std::string content = std::string(kChunk, '\0');
  base::Error error;  // why the callback said no: libarchive only passes on that it did

  // The next piece of the archive; empty at the end.
  Result<std::string_view> pull() {
    auto piece = in->pull();
    if (!piece && piece.error().code == Code::InvalidArgument)
      return no_bundle(piece.error().message);
    if (!piece) return piece;
    archive_bytes += piece->size();
    if (archive_bytes > archive_bound)
      return base::fail(Code::Exhausted, "the bundle unpacks to more than {} bytes", archive_bound);
    hash.update(*piece);
    return piece;
  }

  static la_ssize_t on_read(archive* /*tar*/, void* self, const void** buffer) {
    auto* state = static_cast<State*>(self);
    auto piece = state->pull();
    if (!piece) {
      state->error = piece.error();
      return -1;
    }
    *buffer = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

  base::Failure archive_failure() const {
    if (!error.message.empty()) return base::Failure(error);
    const char* why = ::archive_error_string(tar.get());
    return no_bundle(fmt::format("tar says: {}", why == nullptr ? "it failed" : why));
  }
};

BundleReader::BundleReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
BundleReader::~BundleReader() = default;

Result<std::unique_ptr<BundleReader>> BundleReader::open(const std::string& path,
                                                         const BundleLimits& limits) {
  auto state = std::make_unique<State>(limits);
  INVARIANT(state->tar);
  TRY_ASSIGN(state->in, ZstdReader::open(path));
  archive* tar = state->tar.get();
  if (::archive_read_support_format_tar(tar) != ARCHIVE_OK ||
      ::archive_read_open(tar, state.get(), nullptr, State::on_read, nullptr) != ARCHIVE_OK) {
    return state->archive_failure();
  }
  return std::unique_ptr<BundleReader>(new BundleReader(std::move(state)));
}

Result<std::optional<BundleEntry>> BundleReader::next() {
  archive_entry* header = nullptr;
  const int outcome = ::archive_read_next_header(state_->tar.get(), &header);
  if (outcome == ARCHIVE_EOF) return std::optional<BundleEntry>();
  // A warning is about the locale, or about attributes that are not used here.
  if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return state_->archive_failure();

  BundleEntry entry;
  entry.path = text_of(::archive_entry_pathname(header), ::archive_entry_pathname_utf8(header));
  if (::archive_entry_hardlink(header) != nullptr ||
      ::archive_entry_hardlink_utf8(header) != nullptr) {
    return refused(entry.path, "is a hard link");
  }
  if (::archive_entry_sparse_count(header) > 0) return refused(entry.path, "is a sparse file");
  TRY_ASSIGN(entry.kind, kind_of(entry.path, ::archive_entry_filetype(header)));
  const unsigned mode = ::archive_entry_perm(header);
  switch (entry.kind) {
    case EntryKind::File:
      if ((mode & 06000U) != 0) return refused(entry.path, "is setuid or setgid");
      if ((mode & 0111U) != 0) entry.executable = Executable::Yes;
      entry.size = static_cast<std::uint64_t>(::archive_entry_size(header));
      break;
    case EntryKind::Folder:
      if (entry.path.ends_with('/')) entry.path.pop_back();
      break;
    case EntryKind::Link:
      entry.target = text_of(::archive_entry_symlink(header), ::archive_entry_symlink_utf8(header));
      break;
    case EntryKind::Fifo:
    case EntryKind::Socket:
    case EntryKind::Device:
      break;
  }
  return entry;
}

Result<std::string_view> BundleReader::read() {
  const la_ssize_t got =
      ::archive_read_data(state_->tar.get(), state_->content.data(), state_->content.size());
  if (got < 0) return state_->archive_failure();
  return std::string_view(state_->content.data(), static_cast<std::size_t>(got));
}

Result<BundleReader::Finished> BundleReader::finish() {
  for (;;) {
    TRY_ASSIGN(const std::string_view rest, state_->pull());
    if (rest.empty()) break;
  }
  return Finished{state_->hash.finish(), state_->in->packed_bytes()};
}

}  // namespace granary::wire

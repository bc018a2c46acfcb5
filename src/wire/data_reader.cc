#include "wire/data_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <cctype>

#include "base/check.h"
#include "base/text.h"
#include "wire/zstd_frame.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

// What the archive may have beyond the contents of files: for each entry its headers with long
// names and attributes, of which tar readers take a megabyte; for each part of a file with holes
// its line in the map, which comes before them, so the longest map (kMaxSegments) once more.
constexpr std::uint64_t kEntryOverhead = 1U << 20;
constexpr std::uint64_t kSegmentOverhead = 64;
constexpr std::uint64_t kOverhead = kSegmentOverhead * kMaxSegments;
constexpr std::size_t kMaxFormat = 64;
constexpr const char* kAnotherCopy = "Use another copy of the export";

struct Free {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};

base::Failure no_archive(std::string_view why) {
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("this is not a valid data archive: {}", why),
                                "Give a file that an export wrote");
}

base::Failure damaged(std::string_view why) {
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("the archive is damaged: {}", why), kAnotherCopy);
}

base::Failure refused(const std::string& path, std::string_view why) {
  return base::fail(Code::InvalidArgument, "the archive's entry {} {}", base::quote(path), why);
}

// libarchive keeps the bytes of a name where the header had bytes, and UTF-8 where it said so.
std::string text_of(const char* bytes, const char* utf8) {
  if (bytes != nullptr) return bytes;
  return utf8 == nullptr ? "" : utf8;
}

// The other way round than name_in_archive(). Errors: InvalidArgument for what lies elsewhere.
Result<void> parse_name(const std::string& name, std::uint64_t& part, std::string& path) {
  constexpr std::string_view kFolder = "data";
  constexpr std::string_view kParts = "deep/";
  constexpr std::size_t kMostDigits = 18;
  std::size_t end = kFolder.size();
  part = 0;
  if (name.starts_with(kParts)) {
    end = std::min(name.find('/', kParts.size()), name.size());
    const std::string digits = name.substr(kParts.size(), end - kParts.size());
    const bool number = !digits.empty() && digits.size() <= kMostDigits && digits[0] != '0' &&
                        digits.find_first_not_of("0123456789") == std::string::npos;
    if (!number) return refused(name, "lies in no part of the archive");
    part = std::stoull(digits);
  } else if (!name.starts_with(kFolder)) {
    return refused(name, "does not lie below data/");
  }
  path.clear();
  if (name.size() == end) return {};
  if (name[end] != '/') return refused(name, "does not lie below data/");
  path = name.substr(end + 1);
  return {};
}

// libarchive writes names of attributes with %XX where they are not plain, and leaves it at that.
std::string unescaped(std::string_view text) {
  const auto digit = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && digit(text[at + 1]) && digit(text[at + 2])) {
      bytes += static_cast<char>(std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16));
      at += 2;
    } else {
      bytes += text[at];
    }
  }
  return bytes;
}

Result<void> read_attributes(archive_entry* header, DataEntry& entry) {
  ::archive_entry_xattr_reset(header);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (::archive_entry_xattr_next(header, &name, &value, &size) == ARCHIVE_OK) {
    if (name == nullptr) return refused(entry.path, "has an attribute without a name");
    const std::string_view bytes(static_cast<const char*>(value), value == nullptr ? 0 : size);
    if (!entry.attributes.emplace(unescaped(name), bytes).second)
      return refused(entry.path, "has an attribute twice");
  }
  return {};
}

}  // namespace

struct DataReader::State {
  std::unique_ptr<ZstdReader> in;
  std::unique_ptr<archive, Free> tar{::archive_read_new()};
  std::uint64_t bytes = 0;  // of the tar archive
  std::string_view piece;   // the last of it
  std::uint64_t allowed = kOverhead;
  std::uint64_t size = 0;  // of the current entry
  std::uint64_t end = 0;   // of its last block
  int version = kDataArchiveVersion;
  base::Error error;  // why the callback said no: libarchive only passes on that it did

  Result<std::string_view> pull() {
    auto pulled = in->pull();
    if (!pulled && pulled.error().code == Code::InvalidArgument)
      return damaged(pulled.error().message);
    if (!pulled) return pulled;
    piece = *pulled;
    bytes += piece.size();
    if (bytes > allowed) return base::fail(Code::Exhausted, "the archive has headers without end");
    return piece;
  }

  static la_ssize_t on_read(archive* /*tar*/, void* self, const void** buffer) {
    auto* state = static_cast<State*>(self);
    const auto pulled = state->pull();
    if (!pulled) {
      state->error = pulled.error();
      return -1;
    }
    *buffer = pulled->data();
    return static_cast<la_ssize_t>(pulled->size());
  }

  base::Failure failure() const {
    if (!error.message.empty()) return base::Failure(error);
    const char* why = ::archive_error_string(tar.get());
    return damaged(fmt::format("tar says: {}", why == nullptr ? "it failed" : why));
  }

  // Null at the archive's end.
  Result<archive_entry*> header() {
    archive_entry* found = nullptr;
    const int outcome = ::archive_read_next_header(tar.get(), &found);
    if (outcome == ARCHIVE_EOF) return nullptr;
    // A warning is about the locale, or about attributes that are not used here.
    if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return failure();
    allowed += kEntryOverhead;
    end = 0;
    size = 0;
    if (::archive_entry_hardlink(found) == nullptr && ::archive_entry_filetype(found) == AE_IFREG) {
      const la_int64_t told = ::archive_entry_size(found);
      if (told < 0) return damaged("a file has less than no bytes");
      size = static_cast<std::uint64_t>(told);
    }
    return found;
  }

  Result<void> read_format() {
    TRY_ASSIGN(archive_entry * first, header());
    if (first == nullptr ||
        text_of(::archive_entry_pathname(first), ::archive_entry_pathname_utf8(first)) !=
            kDataFormatName ||
        size > kMaxFormat)
      return no_archive("it does not begin as one");
    std::string words(size, '\0');
    if (::archive_read_data(tar.get(), words.data(), words.size()) != static_cast<la_ssize_t>(size))
      return failure();
    if (!words.starts_with(kDataFormatWords)) return no_archive("it does not begin as one");
    const std::string said = words.substr(kDataFormatWords.size());
    for (int known = kOldestDataArchiveVersion; known <= kDataArchiveVersion; ++known) {
      if (said != fmt::format("{}\n", known)) continue;
      version = known;
      return {};
    }
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("the archive was made by a newer version: its format is {}, and {} is known",
                    base::quote(said.substr(0, said.find('\n'))), kDataArchiveVersion),
        "Upgrade Granary, then try again");
  }
};

DataReader::DataReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataReader::~DataReader() = default;
int DataReader::version() const { return state_->version; }

Result<std::unique_ptr<DataReader>> DataReader::open(const std::string& path) {
  auto state = std::make_unique<State>();
  INVARIANT(state->tar);
  TRY_ASSIGN(state->in, ZstdReader::open(path));
  archive* tar = state->tar.get();
  if (::archive_read_support_format_tar(tar) != ARCHIVE_OK ||
      ::archive_read_open(tar, state.get(), nullptr, State::on_read, nullptr) != ARCHIVE_OK) {
    return state->error.message.empty() ? no_archive("tar does not know it") : state->failure();
  }
  TRY(state->read_format());
  return std::unique_ptr<DataReader>(new DataReader(std::move(state)));
}

Result<std::optional<DataEntry>> DataReader::next() {
  TRY_ASSIGN(archive_entry * header, state_->header());
  if (header == nullptr) return damaged("it has no contents.json");
  std::string path =
      text_of(::archive_entry_pathname(header), ::archive_entry_pathname_utf8(header));
  const char* target = ::archive_entry_hardlink(header);
  if (target == nullptr) target = ::archive_entry_hardlink_utf8(header);
  const unsigned type = ::archive_entry_filetype(header);
  if (path == kDataContentsName && type == AE_IFREG && target == nullptr) {
    state_->allowed += state_->size;
    return std::optional<DataEntry>();
  }
  DataEntry entry;
  if (type == AE_IFDIR && path.ends_with('/')) path.pop_back();
  TRY(parse_name(path, entry.part, entry.path));
  entry.mode = ::archive_entry_perm(header) & 01777U;
  entry.mtime_seconds = ::archive_entry_mtime(header);
  entry.mtime_nanoseconds = ::archive_entry_mtime_nsec(header);
  if (target != nullptr) {
    entry.kind = DataKind::HardLink;
    TRY(parse_name(target, entry.target_part, entry.target));
    return entry;
  }
  if (type == AE_IFREG) {
    entry.size = state_->size;
  } else if (type == AE_IFDIR) {
    entry.kind = DataKind::Folder;
  } else if (type == AE_IFLNK) {
    entry.kind = DataKind::Link;
    entry.target = text_of(::archive_entry_symlink(header), ::archive_entry_symlink_utf8(header));
    return entry;
  } else {
    return refused(path, "is neither a file, a folder nor a link");
  }
  TRY(read_attributes(header, entry));
  return entry;
}

Result<DataReader::Block> DataReader::block() {
  for (;;) {
    const void* bytes = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    const int outcome = ::archive_read_data_block(state_->tar.get(), &bytes, &length, &offset);
    if (outcome == ARCHIVE_EOF) return Block{};
    if (outcome != ARCHIVE_OK) return state_->failure();
    if (length == 0) continue;
    const auto from = static_cast<std::uint64_t>(offset);
    if (offset < 0 || from < state_->end || from > state_->size || length > state_->size - from)
      return damaged("a file is not as long as its header says");
    state_->end = from + length;
    state_->allowed += length + kSegmentOverhead;
    return Block{from, {static_cast<const char*>(bytes), length}};
  }
}

Result<DataReader::Finished> DataReader::finish() {
  TRY_ASSIGN(archive_entry * header, state_->header());
  if (header != nullptr) return damaged("something follows its contents.json");
  // tar fills its last block; what is no zero would be hidden there. libarchive has read some of it
  // already, and says how far it came.
  const auto used = static_cast<std::uint64_t>(::archive_filter_bytes(state_->tar.get(), 0));
  const std::uint64_t left = std::min<std::uint64_t>(state_->bytes - used, state_->piece.size());
  for (std::string_view rest = state_->piece.substr(state_->piece.size() - left);;) {
    if (rest.find_first_not_of('\0') != std::string_view::npos)
      return damaged("something follows its end");
    TRY_ASSIGN(rest, state_->pull());
    if (rest.empty()) break;
  }
  return Finished{state_->in->packed_bytes(), state_->in->packed_sha256()};
}

}  // namespace granary::wire

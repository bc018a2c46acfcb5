#include "archive/tenant_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/file.h"
#include "base/os/syscall.h"
#include "base/text.h"

namespace granary::archive {
namespace {

using base::Code;
using base::Result;
using base::json::object;
using base::os::Fd;

constexpr std::size_t kChunk = 1U << 20;
constexpr std::size_t kMaxDocument = 4U << 20;
constexpr const char* kDocumentName = "archive.json";
constexpr const char* kReleaseName = "release.tar.zst";
constexpr const char* kDataName = "data.tar.zst";

struct FreeArchive {
  void operator()(::archive* a) const { ::archive_free(a); }
  void operator()(::archive_entry* entry) const { ::archive_entry_free(entry); }
};
using Handle = std::unique_ptr<::archive, FreeArchive>;
using Entry = std::unique_ptr<::archive_entry, FreeArchive>;

base::Failure broken(std::string_view why) {
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("this is no whole tenant archive: {}", why),
                                "Export the tenant again, or fetch the file again");
}

// ---- measuring and writing

Result<std::uint64_t> size_of(int fd, const std::string& path) {
  struct stat status{};
  TRY(base::os::checked("fstat", path, [&] { return ::fstat(fd, &status); }));
  return static_cast<std::uint64_t>(status.st_size);
}

template <class Each>
Result<void> for_each_chunk(int fd, const std::string& path, Each each) {
  std::string chunk(kChunk, '\0');
  for (;;) {
    TRY_ASSIGN(const ssize_t got, base::os::checked("read", path, [&] {
                 return ::read(fd, chunk.data(), chunk.size());
               }));
    if (got == 0) return {};
    TRY(each(std::string_view(chunk.data(), static_cast<std::size_t>(got))));
  }
}

Result<void> checked(::archive* tar, la_ssize_t outcome, const std::string& path) {
  if (outcome >= ARCHIVE_OK) return {};
  const int error = ::archive_errno(tar);
  const char* why = ::archive_error_string(tar);
  return base::fail(error == ENOSPC || error == EDQUOT ? Code::NoRoom : Code::Internal,
                    "writing {}: {}", path, why == nullptr ? "failed" : why);
}

class Writer final {
 public:
  explicit Writer(std::string path) : path_(std::move(path)), tar_(::archive_write_new()) {
    INVARIANT(tar_);
  }

  Result<void> open(int fd) {
    TRY(checked(tar_.get(), ::archive_write_set_format_pax_restricted(tar_.get()), path_));
    return checked(tar_.get(), ::archive_write_open_fd(tar_.get(), fd), path_);
  }
  Result<void> begin(const char* name, std::uint64_t bytes) {
    const Entry entry(::archive_entry_new());
    INVARIANT(entry);
    ::archive_entry_set_pathname(entry.get(), name);
    ::archive_entry_set_filetype(entry.get(), AE_IFREG);
    ::archive_entry_set_perm(entry.get(), 0600);
    ::archive_entry_set_mtime(entry.get(), 0, 0);
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
    return checked(tar_.get(), ::archive_write_header(tar_.get(), entry.get()), path_);
  }
  Result<void> write(std::string_view bytes) {
    const la_ssize_t put = ::archive_write_data(tar_.get(), bytes.data(), bytes.size());
    TRY(checked(tar_.get(), put, path_));
    if (static_cast<std::size_t>(put) == bytes.size()) return {};
    return base::fail(Code::Conflict, "a member of {} grew while it was read", path_);
  }
  Result<void> close() { return checked(tar_.get(), ::archive_write_close(tar_.get()), path_); }

 private:
  std::string path_;
  Handle tar_;
};

Result<void> add_file(Writer& writer, const char* name, const std::string& file) {
  TRY_ASSIGN(const Fd fd, base::os::open_file(file, O_RDONLY | O_NOFOLLOW, 0));
  TRY_ASSIGN(const std::uint64_t bytes, size_of(fd.get(), file));
  TRY(writer.begin(name, bytes));
  return for_each_chunk(fd.get(), file,
                        [&](std::string_view chunk) { return writer.write(chunk); });
}

Result<void> describe_member(object& document, const char* name, const std::string& file) {
  TRY_ASSIGN(const Written measured, measure(file));
  object member;
  if (const object* given = base::json::find_object(document, name)) member = *given;
  member["bytes"] = measured.bytes;
  member["sha256"] = measured.sha256;
  document[name] = std::move(member);
  return {};
}

Result<void> write_all_members(const std::string& half_made, const object& document,
                               const Members& members) {
  TRY_ASSIGN(const Fd fd, base::os::open_file(half_made, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  Writer writer(half_made);
  TRY(writer.open(fd.get()));
  const std::string text = base::json::print(document);
  TRY(writer.begin(kDocumentName, text.size()));
  TRY(writer.write(text));
  if (!members.release.empty()) TRY(add_file(writer, kReleaseName, members.release));
  TRY(add_file(writer, kDataName, members.data));
  TRY(writer.close());
  TRY(base::os::checked("fsync", half_made, [&] { return ::fsync(fd.get()); }));
  return {};
}

// ---- reading

class Reader final {
 public:
  static Result<std::unique_ptr<Reader>> open(const std::string& path) {
    auto reader = std::make_unique<Reader>();
    TRY_ASSIGN(reader->fd_, base::os::open_file(path, O_RDONLY | O_NOFOLLOW, 0));
    reader->tar_.reset(::archive_read_new());
    INVARIANT(reader->tar_);
    ::archive_read_support_format_tar(reader->tar_.get());
    if (::archive_read_open_fd(reader->tar_.get(), reader->fd_.get(), kChunk) != ARCHIVE_OK)
      return broken("it is no tar file");
    return reader;
  }

  // The next member must have this name; gives its size.
  Result<std::uint64_t> expect(std::string_view name) {
    ::archive_entry* entry = nullptr;
    const int outcome = ::archive_read_next_header(tar_.get(), &entry);
    if (outcome == ARCHIVE_EOF) return broken(fmt::format("it ends before {}", name));
    if (outcome != ARCHIVE_OK) return broken("it is cut off or damaged");
    const char* found = ::archive_entry_pathname(entry);
    if (found == nullptr || found != name)
      return broken(fmt::format("it has {} where {} belongs",
                                base::quote(found == nullptr ? "" : found), name));
    if (::archive_entry_filetype(entry) != AE_IFREG || ::archive_entry_size_is_set(entry) == 0 ||
        ::archive_entry_hardlink(entry) != nullptr)
      return broken(fmt::format("{} is no plain file", name));
    return static_cast<std::uint64_t>(::archive_entry_size(entry));
  }
  Result<void> expect_end() {
    ::archive_entry* entry = nullptr;
    if (::archive_read_next_header(tar_.get(), &entry) == ARCHIVE_EOF) return {};
    return broken("there is more in it than belongs there");
  }
  template <class Each>
  Result<void> content(Each each) {
    std::string chunk(kChunk, '\0');
    for (;;) {
      const la_ssize_t got = ::archive_read_data(tar_.get(), chunk.data(), chunk.size());
      if (got < 0) return broken("it is cut off or damaged");
      if (got == 0) return {};
      TRY(each(std::string_view(chunk.data(), static_cast<std::size_t>(got))));
    }
  }

 private:
  Fd fd_;
  Handle tar_;
};

Result<object> next_document(Reader& reader) {
  TRY_ASSIGN(const std::uint64_t bytes, reader.expect(kDocumentName));
  if (bytes > kMaxDocument) return broken(fmt::format("{} is too large", kDocumentName));
  std::string text;
  TRY(reader.content([&](std::string_view chunk) -> Result<void> {
    text += chunk;
    return {};
  }));
  auto document = base::json::parse_object(text, kMaxDocument);
  if (!document) return broken(fmt::format("{}: {}", kDocumentName, document.error().message));
  const auto format = base::json::get_int(*document, "format");
  if (!format) return broken(format.error().message);
  if (*format > kFormat)
    return base::fail_with_advice(
        Code::NotSupported,
        fmt::format("the archive has format {}, this version knows {}", *format, kFormat),
        "Restore it with the version of granary that made it, or a newer one");
  if (*format != kFormat) return broken("its format is unknown");
  return std::move(*document);
}

// What the document says of a member against what there is; the bytes go to `to`, if anywhere.
Result<void> take_member(Reader& reader, const object& document, const char* part, const char* name,
                         const std::string& to) {
  const object* said = base::json::find_object(document, part);
  if (said == nullptr) return broken(fmt::format("{} says nothing of {}", kDocumentName, part));
  const auto bytes = base::json::get_int(*said, "bytes");
  const auto sha256 = base::json::get_string(*said, "sha256");
  if (!bytes || !sha256)
    return broken(fmt::format("{} says too little of {}", kDocumentName, part));
  TRY_ASSIGN(const std::uint64_t size, reader.expect(name));
  if (static_cast<std::int64_t>(size) != *bytes)
    return broken(fmt::format("{} has {} bytes, not {}", name, size, *bytes));
  Fd out;
  if (!to.empty()) {
    TRY_ASSIGN(out, base::os::open_file(to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  }
  base::Sha256 hash;
  TRY(reader.content([&](std::string_view chunk) -> Result<void> {
    hash.update(chunk);
    return to.empty() ? Result<void>() : base::os::write_all(out.get(), chunk);
  }));
  if (hash.finish() != *sha256) return broken(fmt::format("{} was altered", name));
  if (to.empty()) return {};
  TRY(base::os::checked("fsync", to, [&] { return ::fsync(out.get()); }));
  return {};
}

Result<object> take_all(const std::string& path, const Members& to) {
  TRY_ASSIGN(const auto reader, Reader::open(path));
  TRY_ASSIGN(object document, next_document(*reader));
  const object* release = base::json::find_object(document, "release");
  if (release != nullptr && release->contains("sha256"))
    TRY(take_member(*reader, document, "release", kReleaseName, to.release));
  TRY(take_member(*reader, document, "data", kDataName, to.data));
  TRY(reader->expect_end());
  return document;
}

}  // namespace

Result<Written> measure(const std::string& path) {
  TRY_ASSIGN(const Fd fd, base::os::open_file(path, O_RDONLY | O_NOFOLLOW, 0));
  base::Sha256 hash;
  Written measured;
  TRY(for_each_chunk(fd.get(), path, [&](std::string_view chunk) -> Result<void> {
    hash.update(chunk);
    measured.bytes += chunk.size();
    return {};
  }));
  measured.sha256 = hash.finish();
  return measured;
}

Result<Written> write(const std::string& path, object document, const Members& members) {
  document["format"] = kFormat;
  if (!members.release.empty()) TRY(describe_member(document, "release", members.release));
  TRY(describe_member(document, "data", members.data));
  const std::string half_made = path + ".new";
  const auto made = write_all_members(half_made, document, members);
  auto measured = made ? measure(half_made) : Result<Written>(std::unexpected(made.error()));
  if (!measured) {
    if (const auto removed = base::os::remove_file(half_made); !removed)
      return base::annotate(measured.error(), removed.error().message);
    return measured;
  }
  TRY(base::os::rename_file(half_made, path));
  TRY(base::os::sync_folder(path.substr(0, path.rfind('/'))));
  return measured;
}

Result<object> read_document(const std::string& path) {
  TRY_ASSIGN(const auto reader, Reader::open(path));
  return next_document(*reader);
}

Result<object> check(const std::string& path) { return take_all(path, {}); }

Result<object> extract(const std::string& path, const Members& to) {
  auto taken = take_all(path, to);
  if (taken) return taken;
  for (const std::string& file : {to.release, to.data}) {
    if (file.empty()) continue;
    if (const auto removed = base::os::remove_file(file); !removed)
      return base::annotate(taken.error(), removed.error().message);
  }
  return taken;
}

}  // namespace granary::archive

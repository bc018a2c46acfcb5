#include "cli/archive_transfer.h"

#include <ostream>

#include "base/hash.h"
#include "base/os/file.h"
#include "base/os/folder.h"
#include "cli/text.h"

namespace granary::cli {

using api_wire::ArchiveDocument;
using base::Code;
using base::Result;

namespace {

// How far a transfer is, on a terminal in one line that changes; elsewhere only its end.
class Meter final {
 public:
  Meter(const Surroundings& surroundings, std::string doing)
      : surroundings_(surroundings), doing_(std::move(doing)) {}
  ~Meter() { erase(); }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void show(std::uint64_t bytes, std::uint64_t of) {
    if (surroundings_.terminal == Terminal::No) return;
    const base::WallTime now = surroundings_.clock.wall();
    if (shown_ && now - *shown_ < kMeterStep && bytes < of) return;
    erase();
    shown_ = now;
    surroundings_.err << fmt::format("  {} {} of {} ...", doing_, human_bytes(bytes),
                                     human_bytes(of))
                      << std::flush;
  }

 private:
  void erase() {
    if (shown_) surroundings_.err << "\r\x1b[K" << std::flush;
    shown_.reset();
  }

  const Surroundings& surroundings_;
  std::string doing_;
  std::optional<base::WallTime> shown_;
};

struct Place {
  std::string folder;
  std::string name;
};

Place place_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// A file beside the one that it becomes; gone with the object unless it has become it.
class PartFile final {
 public:
  static Result<std::unique_ptr<PartFile>> make(const std::string& path) {
    const Place place = place_of(path);
    TRY_ASSIGN(const auto folder, base::os::Folder::open(place.folder));
    // One that an earlier run left: whoever runs two at once gets one of them.
    TRY(base::os::remove_file(path + ".part"));
    TRY_ASSIGN(base::os::Fd fd, folder.make_file(place.name + ".part", 0600));
    return std::unique_ptr<PartFile>(new PartFile(path, std::move(fd)));
  }
  ~PartFile() {
    if (!kept_) (void)base::os::remove_file(part());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  Result<void> append(std::string_view bytes) {
    TRY(base::os::write_all(fd_.get(), bytes));
    sha256_.update(bytes);
    bytes_ += bytes.size();
    return {};
  }
  // Errors: DataLoss when it is not what it should be.
  Result<void> keep(std::uint64_t bytes, const std::string& sha256) {
    const std::string found = sha256_.finish();
    if (bytes_ != bytes || found != sha256)
      return base::fail_with_advice(
          Code::DataLoss,
          fmt::format("what came has {} bytes and the SHA-256 {}, not {} bytes and {}", bytes_,
                      found, bytes, sha256),
          "Fetch it again; if that does not help, export the tenant again");
    TRY(base::os::sync_file(fd_.get()));
    TRY(base::os::rename_file(part(), path_));
    kept_ = true;
    return base::os::sync_folder(place_of(path_).folder);
  }

 private:
  PartFile(std::string path, base::os::Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string part() const { return path_ + ".part"; }

  std::string path_;
  base::os::Fd fd_;
  base::Sha256 sha256_;
  std::uint64_t bytes_ = 0;
  bool kept_ = false;
};

}  // namespace

Result<void> check_target(const std::string& path, Overwrite overwrite) {
  const Place place = place_of(path);
  if (place.name.empty() || place.name == "." || place.name == ".." || path == "-")
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("'{}' is not a valid name of a file", path),
                                  "Name a file: an archive is checked before it gets its name");
  const auto folder = base::os::Folder::open(place.folder);
  if (!folder)
    return base::fail_with_advice(folder.error().code,
                                  fmt::format("the folder of {} cannot be opened", path),
                                  fmt::format("{}. Make the folder first", folder.error().message));
  const auto there = folder->status(place.name);
  if (there && there->kind != base::os::EntryKind::File)
    return base::fail(Code::InvalidArgument, "{} is {}, not a file", path,
                      base::os::to_string(there->kind));
  if (there && overwrite == Overwrite::No)
    return base::fail_with_advice(Code::AlreadyExists, fmt::format("{} is there already", path),
                                  "Name another file, or write over it with --force");
  return {};
}

Result<void> fetch_archive(Session& session, const ArchiveDocument& archive,
                           const std::string& path, Overwrite overwrite) {
  TRY(check_target(path, overwrite));
  TRY_ASSIGN(const auto part, PartFile::make(path));
  // So that Ctrl-C, too, leaves no part behind.
  session.api().http().hold_interrupts();
  Meter meter(session.surroundings(), "fetched");
  TRY(session.api().fetch(
      path_of({"v1", "archives", archive.id, "content"}),
      {.sink = [&](std::string_view piece) { return part->append(piece); },
       .progress = [&](std::uint64_t bytes, std::uint64_t of) { meter.show(bytes, of); }}));
  return part->keep(archive.bytes, archive.sha256);
}

Result<ArchiveDocument> send_archive(Session& session, const std::string& path) {
  session.api().http().hold_interrupts();
  Meter meter(session.surroundings(), "sent");
  return session.api().upload_archive<ArchiveDocument>(
      path_of({"v1", "archives"}), path,
      {.sink = {},
       .progress = [&](std::uint64_t bytes, std::uint64_t of) { meter.show(bytes, of); }});
}

}  // namespace granary::cli

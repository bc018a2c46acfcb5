#include "wire/bundle_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/file.h"
#include "base/os/syscall.h"
#include "base/text.h"
#include "wire/zstd_frame.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;

constexpr std::size_t kChunk = 128U << 10;

struct Free {
  void operator()(archive* writer) const { ::archive_write_free(writer); }
  void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};

unsigned type_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::File:
      return AE_IFREG;
    case EntryKind::Folder:
      return AE_IFDIR;
    case EntryKind::Link:
      return AE_IFLNK;
    case EntryKind::Fifo:
    case EntryKind::Socket:
    case EntryKind::Device:
      break;
  }
  INVARIANT(false);  // check_entry lets none of these through
}

}  // namespace

struct BundleWriter::State {
  base::Sha256 hash;
  std::unique_ptr<ZstdWriter> out;
  std::unique_ptr<archive, Free> tar;
  std::string content = std::string(kChunk, '\0');
  base::Error error;  // why a callback said no: libarchive only passes on that it did

  static la_ssize_t on_write(archive* /*tar*/, void* self, const void* data, std::size_t size) {
    auto* state = static_cast<State*>(self);
    const std::string_view plain(static_cast<const char*>(data), size);
    state->hash.update(plain);
    if (auto written = state->out->write(plain); !written) {
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

  Result<void> copy(const BundleEntry& entry, int from) {
    for (std::uint64_t left = entry.size; left > 0;) {
      const std::size_t wanted = std::min<std::uint64_t>(left, content.size());
      TRY_ASSIGN(const ssize_t got, base::os::checked("read", entry.path, [&] {
                   return ::read(from, content.data(), wanted);
                 }));
      if (got == 0) return changed(entry);
      TRY(checked(::archive_write_data(tar.get(), content.data(), static_cast<std::size_t>(got))));
      left -= static_cast<std::uint64_t>(got);
    }
    TRY_ASSIGN(const ssize_t more, base::os::checked("read", entry.path, [&] {
                 return ::read(from, content.data(), 1);
               }));
    if (more != 0) return changed(entry);
    return {};
  }

  static base::Failure changed(const BundleEntry& entry) {
    return base::fail_with_advice(
        Code::Conflict, fmt::format("{} changed while it was read", base::quote(entry.path)),
        "Try again when nothing writes into the folder");
  }
};

BundleWriter::BundleWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
BundleWriter::~BundleWriter() = default;

Result<std::unique_ptr<BundleWriter>> BundleWriter::create(const std::string& path) {
  auto state = std::make_unique<State>();
  TRY(base::os::remove_file(path));
  TRY_ASSIGN(state->out, ZstdWriter::create(path, kZstdLevel));
  state->tar.reset(::archive_write_new());
  INVARIANT(state->tar);
  // GNU's long names carry any bytes; pax headers would go through the locale.
  TRY(state->checked(::archive_write_set_format_gnutar(state->tar.get())));
  TRY(state->checked(::archive_write_set_bytes_per_block(state->tar.get(), 0)));
  TRY(state->checked(
      ::archive_write_open(state->tar.get(), state.get(), nullptr, State::on_write, nullptr)));
  return std::unique_ptr<BundleWriter>(new BundleWriter(std::move(state)));
}

Result<void> BundleWriter::add(const BundleEntry& entry, int content) {
  const std::unique_ptr<archive_entry, Free> header(::archive_entry_new());
  INVARIANT(header);
  const bool plain = entry.kind == EntryKind::File && entry.executable == Executable::No;
  ::archive_entry_copy_pathname(header.get(), entry.path.c_str());
  ::archive_entry_set_filetype(header.get(), type_of(entry.kind));
  ::archive_entry_set_perm(header.get(), plain ? 0644 : 0755);
  ::archive_entry_set_mtime(header.get(), 0, 0);
  ::archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.size));
  if (entry.kind == EntryKind::Link)
    ::archive_entry_copy_symlink(header.get(), entry.target.c_str());
  TRY(state_->checked(::archive_write_header(state_->tar.get(), header.get())));
  if (entry.kind == EntryKind::File) TRY(state_->copy(entry, content));
  return {};
}

Result<BundleWriter::Finished> BundleWriter::finish() {
  TRY(state_->checked(::archive_write_close(state_->tar.get())));
  TRY_ASSIGN(const ZstdWriter::Finished finished, state_->out->finish());
  return Finished{state_->hash.finish(), finished.bytes};
}

}  // namespace granary::wire

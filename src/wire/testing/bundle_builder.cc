#include "wire/testing/bundle_builder.h"

#include <archive.h>
#include <archive_entry.h>
#include <zstd.h>

#include <algorithm>

#include "base/check.h"

namespace granary::wire::testing {

struct BundleBuilder::State {
  archive* tar = ::archive_write_new();
  std::string bytes;

  static la_ssize_t on_write(archive* /*tar*/, void* self, const void* data, std::size_t size) {
    static_cast<State*>(self)->bytes.append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  }

  void header(archive_entry* entry, std::string_view path, unsigned type, unsigned mode) const {
    ::archive_entry_copy_pathname(entry, std::string(path).c_str());
    ::archive_entry_set_filetype(entry, type);
    ::archive_entry_set_perm(entry, mode);
    ::archive_entry_set_mtime(entry, 1'700'000'000, 0);  // not canonical either
    ASSERT(::archive_write_header(tar, entry) >= ARCHIVE_WARN);
    ::archive_entry_free(entry);
  }
};

BundleBuilder::BundleBuilder(Format format) : state_(std::make_unique<State>()) {
  if (format == Format::Gnu) {
    ASSERT(::archive_write_set_format_gnutar(state_->tar) == ARCHIVE_OK);
  } else {
    ASSERT(::archive_write_set_format_pax(state_->tar) == ARCHIVE_OK);
  }
  ::archive_write_set_bytes_per_block(state_->tar, 0);
  ASSERT(::archive_write_open(state_->tar, state_.get(), nullptr, State::on_write, nullptr) ==
         ARCHIVE_OK);
}

BundleBuilder::~BundleBuilder() { ::archive_write_free(state_->tar); }

BundleBuilder& BundleBuilder::file(std::string_view path, std::string_view content, unsigned mode) {
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
  state_->header(entry, path, AE_IFREG, mode);
  ASSERT(::archive_write_data(state_->tar, content.data(), content.size()) >= 0);
  return *this;
}

BundleBuilder& BundleBuilder::folder(std::string_view path, unsigned mode) {
  state_->header(::archive_entry_new(), path, AE_IFDIR, mode);
  return *this;
}

BundleBuilder& BundleBuilder::link(std::string_view path, std::string_view target) {
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_copy_symlink(entry, std::string(target).c_str());
  state_->header(entry, path, AE_IFLNK, 0777);
  return *this;
}

BundleBuilder& BundleBuilder::hard_link(std::string_view path, std::string_view target) {
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_copy_hardlink(entry, std::string(target).c_str());
  state_->header(entry, path, AE_IFREG, 0644);
  return *this;
}

BundleBuilder& BundleBuilder::fifo(std::string_view path) {
  state_->header(::archive_entry_new(), path, AE_IFIFO, 0644);
  return *this;
}

BundleBuilder& BundleBuilder::device(std::string_view path) {
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_rdevmajor(entry, 1);
  ::archive_entry_set_rdevminor(entry, 3);
  state_->header(entry, path, AE_IFCHR, 0666);
  return *this;
}

BundleBuilder& BundleBuilder::zeros(std::string_view path, std::uint64_t size) {
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_size(entry, static_cast<la_int64_t>(size));
  state_->header(entry, path, AE_IFREG, 0644);
  const std::string chunk(1U << 20, '\0');
  for (std::uint64_t left = size; left > 0;) {
    const std::size_t now = std::min<std::uint64_t>(left, chunk.size());
    ASSERT(::archive_write_data(state_->tar, chunk.data(), now) >= 0);
    left -= now;
  }
  return *this;
}

std::string BundleBuilder::tar() {
  ASSERT(::archive_write_close(state_->tar) == ARCHIVE_OK);
  return state_->bytes;
}

std::string BundleBuilder::bundle() { return in_zstd_frame(tar()); }

std::string in_zstd_frame(std::string_view bytes) {
  std::string packed(::ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ::ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1);
  ASSERT(::ZSTD_isError(size) == 0);
  packed.resize(size);
  return packed;
}

}  // namespace granary::wire::testing

#include "base/check.h"
#include "base/os/file.h"
#include "base/os/folder.h"
#include "base/text.h"
#include "wire/bundle.h"
#include "wire/bundle_reader.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;
using base::os::Folder;

constexpr mode_t kFolderMode = 0755;
constexpr mode_t kProgramMode = 0755;
constexpr mode_t kFileMode = 0644;

struct SplitPath {
  std::string parent;
  std::string name;
};
SplitPath split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// Puts checked entries into a tree. Keeps the folders from the root down to the last entry open,
// since a sorted archive stays in one folder for long.
class Extractor final {
 public:
  explicit Extractor(Folder root) { open_.push_back({"", std::move(root)}); }

  Result<void> add(const BundleEntry& entry, BundleReader& reader) {
    auto [parent, name] = split(entry.path);
    TRY_ASSIGN(const Folder* folder, enter(parent));
    auto made = make(*folder, name, entry, reader);
    if (made || made.error().code != Code::AlreadyExists) return made;
    return base::fail(Code::InvalidArgument, "the bundle holds {} twice", base::quote(entry.path));
  }

 private:
  struct Open {
    std::string path;  // with a slash at its end; empty for the root
    Folder folder;
  };

  static Result<void> make(const Folder& folder, const std::string& name, const BundleEntry& entry,
                           BundleReader& reader) {
    switch (entry.kind) {
      case EntryKind::Folder:
        TRY(folder.make_folder(name, kFolderMode));
        return {};
      case EntryKind::Link:
        return folder.make_link(name, entry.target);
      case EntryKind::File:
        return make_file(folder, name, entry, reader);
      case EntryKind::Fifo:
      case EntryKind::Socket:
      case EntryKind::Device:
        break;
    }
    INVARIANT(false);  // check_entry lets none of these through
  }

  static Result<void> make_file(const Folder& folder, const std::string& name,
                                const BundleEntry& entry, BundleReader& reader) {
    const mode_t mode = entry.executable == Executable::Yes ? kProgramMode : kFileMode;
    TRY_ASSIGN(const base::os::Fd file, folder.make_file(name, mode));
    for (std::uint64_t written = 0;;) {
      TRY_ASSIGN(const std::string_view piece, reader.read());
      if (piece.empty() && written == entry.size) return {};
      written += piece.size();
      if (piece.empty() || written > entry.size) {
        return base::fail(Code::InvalidArgument, "{} is not as long as the bundle says",
                          base::quote(entry.path));
      }
      TRY(base::os::write_all(file.get(), piece));
    }
  }

  // The folder at `path` (checked), which an earlier entry made: a link in its place is refused
  // by Folder.
  Result<const Folder*> enter(const std::string& path) {
    const std::string wanted = path.empty() ? "" : path + "/";
    while (!wanted.starts_with(open_.back().path)) open_.pop_back();
    while (open_.back().path.size() < wanted.size()) {
      const std::size_t from = open_.back().path.size();
      const std::size_t slash = wanted.find('/', from);
      auto next = open_.back().folder.open_folder(wanted.substr(from, slash - from));
      if (!next) return no_folder(path, next.error());
      open_.push_back({wanted.substr(0, slash + 1), std::move(*next)});
    }
    return &open_.back().folder;
  }

  static base::Failure no_folder(const std::string& path, const base::Error& error) {
    if (error.code != Code::NotFound && error.code != Code::Refused) return base::Failure(error);
    return base::fail(Code::InvalidArgument, "the bundle has an entry in {}, but no such folder",
                      base::quote(path));
  }

  std::vector<Open> open_;  // from the root down, never empty
};

Result<BundleInfo> extract_into(const std::string& bundle_path, Folder target,
                                const BundleLimits& limits) {
  TRY_ASSIGN(const auto reader, BundleReader::open(bundle_path, limits));
  Extractor extractor(std::move(target));
  BundleTotals totals(limits);
  for (;;) {
    TRY_ASSIGN(const std::optional<BundleEntry> entry, reader->next());
    if (!entry) break;
    TRY(check_entry(*entry, limits));
    TRY(totals.add(*entry));
    TRY(extractor.add(*entry, *reader));
  }
  TRY_ASSIGN(const BundleReader::Finished finished, reader->finish());
  return BundleInfo{finished.hash, finished.bytes, totals.bytes(), totals.files()};
}

}  // namespace

Result<BundleInfo> extract(const std::string& bundle_path, const std::string& target,
                           const BundleLimits& limits) {
  const auto [parent, name] = split(target);
  TRY_ASSIGN(const Folder above, Folder::open(parent + "/"));
  TRY_ASSIGN(Folder made, above.make_folder(name, kFolderMode));
  auto extracted = extract_into(bundle_path, std::move(made), limits);
  if (!extracted) (void)base::os::remove_tree(target);
  return extracted;
}

Result<void> unpack(const std::string& bundle_path, const std::string& target,
                    const std::string& hash, const UnpackOptions& options) {
  if (base::os::exists(target)) return {};
  const std::string beside = target + ".unpacking";
  TRY(base::os::remove_tree(beside));  // what a killed predecessor left
  TRY_ASSIGN(const BundleInfo info, extract(bundle_path, beside, options.limits));
  if (info.hash != hash) {
    (void)base::os::remove_tree(beside);
    return base::fail_with_advice(Code::DataLoss,
                                  fmt::format("the bundle of {} holds {} instead", hash, info.hash),
                                  "Create the release again from its folder");
  }
  if (options.prepare) options.prepare(beside);
  TRY(base::os::sync_filesystem(beside));
  TRY(base::os::rename_file(beside, target));
  return base::os::sync_folder(split(target).parent + "/");
}

}  // namespace granary::wire

#include "base/os/file.h"
#include "wire/bundle.h"
#include "wire/bundle_ignore.h"
#include "wire/bundle_tree.h"
#include "wire/bundle_writer.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::Folder;

Result<IgnoreRules> ignore_rules(const Folder& root, Source source) {
  if (source == Source::BundleContents) return IgnoreRules::nothing();
  IgnoreRules rules = IgnoreRules::defaults();
  auto file = root.open_file(std::string(kIgnoreFile));
  if (!file) {
    if (file.error().code == Code::NotFound) return rules;
    return std::unexpected(file.error());
  }
  TRY_ASSIGN(const std::string text, base::os::read_at(file->fd.get(), 0, kMaxIgnoreBytes + 1));
  TRY(rules.add(text, kIgnoreFile));
  return rules;
}

Result<BundleInfo> pack_into(const std::string& folder, const std::string& bundle_path,
                             const PackOptions& options) {
  TRY_ASSIGN(const Folder root, Folder::open(folder));
  TRY_ASSIGN(const IgnoreRules ignore, ignore_rules(root, options.source));
  TRY_ASSIGN(const auto writer, BundleWriter::create(bundle_path));
  BundleTotals totals(options.limits);
  TRY(walk_tree(root, ignore, options.limits,
                [&](const BundleEntry& entry, int content) -> Result<void> {
                  TRY(totals.add(entry));
                  return writer->add(entry, content);
                }));
  TRY_ASSIGN(const BundleWriter::Finished finished, writer->finish());
  return BundleInfo{finished.hash, finished.bytes, totals.bytes(), totals.files()};
}

}  // namespace

Result<BundleInfo> pack(const std::string& folder, const std::string& bundle_path,
                        const PackOptions& options) {
  auto packed = pack_into(folder, bundle_path, options);
  if (!packed) (void)base::os::remove_file(bundle_path);
  return packed;
}

}  // namespace granary::wire

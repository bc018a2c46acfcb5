#include "base/os/file.h"
#include "wire/bundle.h"
#include "wire/bundle_filter.h"
#include "wire/bundle_tree.h"
#include "wire/bundle_writer.h"

namespace granary::wire {
namespace {

using base::Result;
using base::os::Folder;

Result<BundleInfo> write_tree(const Folder& root, const TreeFilter& leaves_out,
                              const std::string& bundle_path, const BundleLimits& limits,
                              const TreeVisitor& also) {
  TRY_ASSIGN(const auto writer, BundleWriter::create(bundle_path));
  BundleTotals totals(limits);
  TRY(walk_tree(root, leaves_out, limits,
                [&](const BundleEntry& entry, int content) -> Result<void> {
                  TRY(totals.add(entry));
                  if (also) TRY(also(entry, content));
                  return writer->add(entry, content);
                }));
  TRY_ASSIGN(const BundleWriter::Finished finished, writer->finish());
  return BundleInfo{finished.hash, finished.bytes, totals.bytes(), totals.files()};
}

Result<Packed> pack_into(const std::string& folder, const std::string& bundle_path,
                         const PackOptions& options) {
  TRY_ASSIGN(const Folder root, Folder::open(folder));
  Packed packed;
  if (options.source == Source::BundleContents) {
    TRY_ASSIGN(packed.bundle, write_tree(root, whole_tree, bundle_path, options.limits, {}));
    return packed;
  }
  TRY_ASSIGN(AppFilter filter, AppFilter::open(root, options.include));
  const auto leaves_out = [&](const Folder& parent, const BundleEntry& entry) {
    return filter.leaves_out(parent, entry);
  };
  const auto look = [&](const BundleEntry& entry, int content) {
    return filter.look(entry, content);
  };
  TRY_ASSIGN(packed.bundle, write_tree(root, leaves_out, bundle_path, options.limits, look));
  TRY_ASSIGN(packed.left_out, filter.finish());
  return packed;
}

}  // namespace

Result<Packed> pack(const std::string& folder, const std::string& bundle_path,
                    const PackOptions& options) {
  auto packed = pack_into(folder, bundle_path, options);
  if (!packed) (void)base::os::remove_file(bundle_path);
  return packed;
}

}  // namespace granary::wire

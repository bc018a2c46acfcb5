#include "base/os/file.h"
#include "wire/data_archive.h"
#include "wire/data_walk.h"
#include "wire/data_writer.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

Result<DataArchiveInfo> pack_into(const std::string& folder, const std::string& archive,
                                  const DataPackOptions& options) {
  TRY_ASSIGN(base::os::Folder root, base::os::Folder::open(folder));
  TRY_ASSIGN(const auto writer, DataWriter::create(archive));
  DataWalk walk(*writer, std::move(root), archive, options);
  TRY_ASSIGN(const DataTotals totals, walk.run());
  return writer->finish(totals);
}

}  // namespace

Result<DataArchiveInfo> pack_data(const std::string& folder, const std::string& archive,
                                  const DataPackOptions& options) {
  if (base::os::exists(archive))
    return base::fail(Code::AlreadyExists, "{} is there already", archive);
  auto packed = pack_into(folder, archive, options);
  if (!packed) (void)base::os::remove_file(archive);
  return packed;
}

}  // namespace granary::wire

#include "api/upload.h"

#include "base/log.h"
#include "base/os/file.h"
#include "base/os/folder.h"

namespace granary::api {

using base::Result;
using base::Task;
using base::os::Fd;

namespace {

constexpr std::string_view kPrefix = "upload-";

Result<Fd> make(const std::string& folder, const std::string& name) {
  TRY_ASSIGN(const auto opened, base::os::Folder::open(folder));
  return opened.make_file(name, 0600);
}

}  // namespace

Upload::~Upload() {
  worker_.post([path = path_] {
    const auto removed = base::os::remove_file(path);
    if (!removed) base::log::warn("an upload stays behind: {}", base::describe(removed.error()));
  });
}

Task<Result<void>> Upload::append(std::string_view bytes) {
  co_return co_await base::run_on(
      worker_, [fd = file_.get(), bytes] { return base::os::write_all(fd, bytes); });
}

Task<Result<std::unique_ptr<Upload>>> begin_upload(base::Worker& worker, std::string folder,
                                                   std::string name) {
  name.insert(0, kPrefix);
  Result<Fd> file = co_await base::run_on(worker, [folder, name] { return make(folder, name); });
  if (!file) co_return std::unexpected(file.error());
  co_return std::make_unique<Upload>(worker, fmt::format("{}/{}", folder, name), std::move(*file));
}

Result<void> clear_uploads(const std::string& folder) {
  TRY_ASSIGN(const auto names, base::os::list_folder(folder));
  for (const std::string& name : names) {
    if (name.starts_with(kPrefix)) TRY(base::os::remove_file(fmt::format("{}/{}", folder, name)));
  }
  return {};
}

}  // namespace granary::api

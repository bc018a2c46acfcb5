// Bundles on their way in: each a file in the API's own folder, written piece by piece on a worker
// and gone with its Upload, whether it was taken or not. Lives on the server's executor.
#pragma once

#include <string>
#include <string_view>

#include "base/async.h"
#include "base/os/fd.h"
#include "base/worker.h"

namespace granary::api {

class Upload final {
 public:
  Upload(base::Worker& worker, std::string path, base::os::Fd file)
      : worker_(worker), path_(std::move(path)), file_(std::move(file)) {}
  ~Upload();  // removes the file, soon, unless it was moved away
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  const std::string& path() const { return path_; }
  // `bytes` outlive the call. Errors: NoRoom, Internal.
  base::Task<base::Result<void>> append(std::string_view bytes);

 private:
  base::Worker& worker_;
  std::string path_;
  base::os::Fd file_;
};

// A new file of this name in the folder.
base::Task<base::Result<std::unique_ptr<Upload>>> begin_upload(base::Worker& worker,
                                                               std::string folder,
                                                               std::string name);
// Removes what an earlier run left in the folder. Blocking; for the start. Errors: NotFound.
base::Result<void> clear_uploads(const std::string& folder);

}  // namespace granary::api

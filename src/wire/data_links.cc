#include "wire/data_links.h"

#include <fcntl.h>

#include "base/os/file.h"

namespace granary::wire {

using base::Code;
using base::Result;

Result<base::os::Fd> nameless_file(const std::string& beside) {
  const std::string folder = beside.substr(0, beside.rfind('/') + 1);
  auto file = base::os::open_file(folder, O_RDWR | O_TMPFILE, 0600);
  if (file || file.error().code != Code::NotSupported) return file;
  return base::os::memory_file("data", "");
}

Result<std::optional<DataLinks::Target>> DataLinks::find(ino_t inode, std::uint64_t names,
                                                         std::uint64_t part,
                                                         const std::string& path) {
  const auto found = noted_.find(inode);
  if (found != noted_.end()) {
    const Noted noted = found->second;
    if (--found->second.left == 0) noted_.erase(found);
    Target target{.part = noted.part, .path = {}};
    TRY_ASSIGN(target.path, base::os::read_at(file_.get(), noted.offset, noted.length));
    return std::optional(std::move(target));
  }
  if (!file_) {
    TRY_ASSIGN(file_, nameless_file(beside_));
  }
  TRY(base::os::write_all(file_.get(), path));
  noted_[inode] = {.part = part,
                   .offset = size_,
                   .length = static_cast<std::uint32_t>(path.size()),
                   .left = static_cast<std::uint32_t>(names - 1)};
  size_ += path.size();
  return std::optional<Target>();
}

}  // namespace granary::wire

#include "wire/testing/data_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <map>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/file.h"

namespace granary::wire::testing {
namespace {

std::string temporary_folder() {
  std::string name = "/tmp/granary-data-XXXXXX";
  ASSERT(::mkdtemp(name.data()) != nullptr);
  return name;
}

std::string attributes_of(const std::string& path) {
  std::string names(4096, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  std::map<std::string, std::string> found;
  for (std::size_t at = 0; length > 0 && at < static_cast<std::size_t>(length);) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    std::string value(4096, '\0');
    const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (size >= 0) found[name] = value.substr(0, static_cast<std::size_t>(size));
  }
  std::string text;
  for (const auto& [name, value] : found) text += " " + name + "=" + base::sha256_hex(value);
  return text;
}

// Where it stores something, to the block.
std::string segments_text(const std::string& path) {
  const auto file = base::os::open_file(path, O_RDONLY, 0);
  std::string text;
  for (off_t at = 0; file;) {
    const off_t data = ::lseek(file->get(), at, SEEK_DATA);
    if (data < 0) break;
    at = ::lseek(file->get(), data, SEEK_HOLE);
    text += fmt::format(" {}-{}", data, at);
  }
  return text;
}

class Description final {
 public:
  std::string of(const std::string& path, const std::string& name) {
    struct stat status{};
    ASSERT(::lstat(path.c_str(), &status) == 0);
    std::string text =
        fmt::format("{} {:o} {}.{} uid {}", base::sha256_hex(name).substr(0, 8), status.st_mode,
                    status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_uid);
    const auto first = seen_.emplace(status.st_ino, name).first->second;
    if (S_ISREG(status.st_mode) && first != name) return text + " is " + first + "\n";
    text += attributes_of(path);
    if (S_ISREG(status.st_mode)) text += content_of(path, status.st_size);
    if (S_ISLNK(status.st_mode)) text += " -> " + target_of(path);
    text += " " + name + "\n";
    if (!S_ISDIR(status.st_mode)) return text;
    for (const std::string& below : base::os::list_folder(path).value())
      text += of(path + "/" + below, name.empty() ? below : name + "/" + below);
    return text;
  }

 private:
  static std::string content_of(const std::string& path, off_t size) {
    // Larger ones have holes: their blocks tell enough.
    constexpr off_t kWhole = 64 << 20;
    std::string text = fmt::format(" {} bytes at{}", size, segments_text(path));
    if (size <= kWhole) text += " " + base::sha256_hex(base::os::read_file(path, kWhole).value());
    return text;
  }
  static std::string target_of(const std::string& path) {
    std::string target(4096, '\0');
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    return target.substr(0, static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  }
  std::map<ino_t, std::string> seen_;
};

}  // namespace

DataFolder::DataFolder() : path_(temporary_folder()) {}
DataFolder::~DataFolder() { (void)base::os::remove_tree(path_); }

void DataFolder::file(const std::string& name, const std::string& bytes, unsigned mode) const {
  const auto fd = base::os::open_file(in(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ASSERT(fd.has_value() && base::os::write_all(fd->get(), bytes).has_value());
  ASSERT(::fchmod(fd->get(), mode) == 0);
}
void DataFolder::folder(const std::string& name, unsigned mode) const {
  ASSERT(::mkdir(in(name).c_str(), 0700) == 0 && ::chmod(in(name).c_str(), mode) == 0);
}
void DataFolder::link(const std::string& name, const std::string& target) const {
  ASSERT(::symlink(target.c_str(), in(name).c_str()) == 0);
}

std::string describe_tree(const std::string& folder) { return Description().of(folder, ""); }

}  // namespace granary::wire::testing

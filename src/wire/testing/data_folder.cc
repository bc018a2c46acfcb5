#include "wire/testing/data_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <map>

#include "base/check.h"
#include "base/hash.h"
#include "base/left_out.h"
#include "base/os/descent.h"
#include "base/os/file.h"

namespace granary::wire::testing {
namespace {

using base::os::Descent;
using base::os::Folder;

std::string temporary_folder() {
  std::string name = "/tmp/granary-data-XXXXXX";
  ASSERT(::mkdtemp(name.data()) != nullptr);
  return name;
}

std::string attributes_of(const std::string& path) {
  std::string names(64U << 10, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  std::map<std::string, std::string> found;
  for (std::size_t at = 0; length > 0 && at < static_cast<std::size_t>(length);) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    std::string value(64U << 10, '\0');
    const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (size >= 0) found[name] = value.substr(0, static_cast<std::size_t>(size));
  }
  std::string text;
  for (const auto& [name, value] : found)
    text += " " + base::percent_escaped(name) + "=" + base::sha256_hex(value);
  return text;
}

// Where it stores something, to the block.
std::string segments_text(int file) {
  std::string text;
  for (off_t at = 0;;) {
    const off_t data = ::lseek(file, at, SEEK_DATA);
    if (data < 0) return text;
    at = ::lseek(file, data, SEEK_HOLE);
    text += fmt::format(" {}-{}", data, at);
  }
}

// Iterative, as the trees may be deeper than a stack and their paths longer than a path.
class Description final {
 public:
  Description(const std::string& folder, Described what)
      : way_(Folder::open(folder).value()), what_(what) {}

  std::string text() {
    struct stat status{};
    ASSERT(::fstat(way_.here().fd(), &status) == 0);
    std::string text = line(way_.here(), ".", status);
    levels_.push_back(names());
    while (!levels_.empty()) {
      if (levels_.back().empty()) {
        levels_.pop_back();
        if (!levels_.empty()) ASSERT(way_.leave().has_value());
        continue;
      }
      const std::string name = levels_.back().back();
      levels_.back().pop_back();
      ASSERT(::fstatat(way_.here().fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0);
      if (is_left_out(status)) continue;
      text += line(way_.here(), name, status);
      if (!S_ISDIR(status.st_mode)) continue;
      ASSERT(way_.enter(way_.here().open_folder(name).value()).has_value());
      levels_.push_back(names());
    }
    return text;
  }

 private:
  std::vector<std::string> names() const {
    auto found = way_.here().names(10'000'000).value();
    std::ranges::reverse(found);
    return found;
  }
  bool is_left_out(const struct stat& status) const {
    return what_ == Described::Kept && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) &&
           !S_ISLNK(status.st_mode);
  }
  std::string line(const Folder& in, const std::string& name, const struct stat& status) {
    const mode_t mode = status.st_mode & (what_ == Described::Kept && !S_ISLNK(status.st_mode)
                                              ? ~mode_t{S_ISUID | S_ISGID}
                                              : ~mode_t{0});
    std::string text =
        fmt::format("{} {} {:o} {}.{} uid {}", way_.depth(), base::percent_escaped(name), mode,
                    status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_uid);
    const auto [first, is_first] = seen_.emplace(status.st_ino, seen_.size());
    if (!is_first && !S_ISDIR(status.st_mode))
      return fmt::format("{} is {}\n", text, first->second);
    // Of bounded length, however deep it lies.
    const std::string path = fmt::format("/proc/self/fd/{}/{}", in.fd(), name);
    text += attributes_of(path);
    if (S_ISREG(status.st_mode)) text += content_of(path, status.st_size);
    if (S_ISLNK(status.st_mode)) text += " -> " + base::percent_escaped(in.read_link(name).value());
    return text + "\n";
  }
  static std::string content_of(const std::string& path, off_t size) {
    // Larger ones have holes: their blocks tell enough.
    constexpr off_t kWhole = 64 << 20;
    const auto file = base::os::open_file(path, O_RDONLY | O_NOFOLLOW, 0);
    ASSERT(file.has_value());
    std::string text = fmt::format(" {} bytes at{}", size, segments_text(file->get()));
    if (size <= kWhole) text += " " + base::sha256_hex(base::os::read_file(path, kWhole).value());
    return text;
  }

  Descent way_;
  Described what_;
  std::vector<std::vector<std::string>> levels_;
  std::map<ino_t, std::size_t> seen_;
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

std::string describe_tree(const std::string& folder, Described what) {
  return Description(folder, what).text();
}

}  // namespace granary::wire::testing

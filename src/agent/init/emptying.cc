#include "agent/init/emptying.h"

#include <dirent.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "agent/init/sys.h"
#include "agent/init/text.h"

namespace granary::init {
namespace {

// Of folders that are moved to the top, to be emptied there: so there is never a path to walk.
constexpr std::string_view kMoved = ".granary-old-";

class Emptying final {
 public:
  Emptying(int top, std::span<char> memory, EmptyingBounds bounds)
      : top_(top),
        outer_(memory.first(memory.size() / 2)),
        inner_(memory.last(memory.size() / 2)),
        older_than_(bounds.older_than),
        deadline_(sys::monotonic_now() + bounds.longest) {}

  // Again and again, for as long as there is less of it each time.
  bool run() {
    do {
      left_ = false;
      progress_ = false;
      sys::first_names(top_);
      for_each_name(top_, outer_, [this](const char* name) {
        if (is_old(name) && !remove(name)) left_ = true;
      });
    } while (progress_ && !late());
    return !left_ && !late();
  }

 private:
  bool late() const { return sys::monotonic_now() >= deadline_; }
  bool is_old(const char* name) const {
    return std::string_view(name).starts_with(kMoved) || sys::changed_at(top_, name) < older_than_;
  }

  template <class Visit>
  void for_each_name(int folder, std::span<char> memory, Visit visit) {
    for (long size = 0; !late() && (size = sys::next_names(folder, memory)) > 0;) {
      for (long at = 0; at < size && !late();) {
        const auto* entry = reinterpret_cast<const dirent64*>(memory.data() + at);
        at += entry->d_reclen;
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") visit(entry->d_name);
      }
    }
  }

  bool unlink(int folder, const char* name) {
    const bool gone = sys::remove_file(folder, name) == 0 || sys::remove_folder(folder, name) == 0;
    if (gone) progress_ = true;
    return gone;
  }

  bool remove(const char* name) {
    if (unlink(top_, name)) return true;
    int opened = sys::open_folder(top_, name);
    if (opened == -EACCES || opened == -EPERM) {
      sys::allow_access(top_, name);
      opened = sys::open_folder(top_, name);
    }
    const sys::Fd folder(opened);
    if (!folder.open()) return false;
    for_each_name(folder.get(), inner_, [this, &folder, name](const char* inner) {
      if (unlink(folder.get(), inner)) return;
      if (move_up(folder.get(), inner)) return;
      sys::allow_access(top_, name);  // of what holds it, and of itself: moving writes to both
      sys::allow_access(folder.get(), inner);
      (void)(unlink(folder.get(), inner) || move_up(folder.get(), inner));
    });
    return unlink(top_, name);
  }

  bool move_up(int folder, const char* name) {
    for (int tries = 0; tries < kTries; ++tries) {
      Text<48> unused;
      unused << kMoved << ++moved_;
      char text[48];
      const std::string_view view = unused.view();
      std::memcpy(text, view.data(), view.size());
      text[view.size()] = '\0';
      const int result = sys::move(folder, name, top_, text);
      if (result == 0) return progress_ = true;
      if (result != -EEXIST) return false;
    }
    return false;
  }

  static constexpr int kTries = 1'000;  // names that an emptying which was cut off has left

  const int top_;
  const std::span<char> outer_;
  const std::span<char> inner_;
  const std::chrono::nanoseconds older_than_;
  const sys::MonotonicTime deadline_;
  std::uint64_t moved_ = 0;
  bool left_ = false;
  bool progress_ = false;
};

}  // namespace

bool empty_folder(const char* path, std::span<char> memory, EmptyingBounds bounds) {
  const sys::Fd top(sys::open_folder(-1, path));
  if (!top.open()) return top.get() == -ENOENT;
  return Emptying(top.get(), memory, bounds).run();
}

}  // namespace granary::init

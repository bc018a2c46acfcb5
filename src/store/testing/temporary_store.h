// A real SQLite store in a file of its own, with work run in line: what tests of other rooms use
// in place of a fake database. Removes its files. Single-threaded.
#pragma once

#include <unistd.h>

#include <atomic>
#include <string>

#include "base/check.h"
#include "base/os/file.h"
#include "base/testing/world.h"
#include "store/store.h"

namespace granary::store::testing {

class TemporaryStore final {
 public:
  TemporaryStore() {
    make_folder();
    reopen();
  }
  // Of another one's files, copied as they are: whoever writes to them stands still.
  explicit TemporaryStore(const std::string& files_of) {
    make_folder();
    for (const char* ending : {"", "-wal"}) {
      const auto bytes = base::os::read_file(files_of + ending, 1U << 30);
      ASSERT(bytes.has_value());
      ASSERT(base::os::replace_file(path() + ending, *bytes, 0600, base::os::Durability::Cached)
                 .has_value());
    }
    reopen();
  }
  ~TemporaryStore() {
    store_.reset();
    (void)base::os::remove_tree(folder_);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  Store& get() const { return *store_; }
  std::string path() const { return folder_ + "/granary.db"; }
  // Forgets the connection and opens the file again, as a restarted program does.
  void reopen() {
    store_.reset();
    // Tests end with the process, not with the machine: no fsync needed.
    auto opened =
        open_sqlite({path(), SqliteOptions::Durability::Normal}, {worker_, worker_}, migrations());
    ASSERT(opened.has_value());
    store_ = std::move(*opened);
  }

 private:
  void make_folder() {
    static std::atomic<int> count{0};
    folder_ = fmt::format("/tmp/granary-store-{}-{}", ::getpid(), ++count);
    ASSERT(base::os::make_folders(folder_, 0700).has_value());
  }

  std::string folder_;
  base::testing::InlineWorker worker_;
  std::unique_ptr<Store> store_;
};

}  // namespace granary::store::testing

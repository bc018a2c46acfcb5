// The control plane's database file, in memory-backed storage where there is some, real SQLite with
// the real schema. crash_image() is what a SIGKILL leaves: the files as they are at that moment,
// in the middle of a transaction too; what is opened next is that copy, so SQLite recovers it. A
// power cut is not simulated. Single-threaded; removes its files.
#pragma once

#include <memory>
#include <string>

#include "base/testing/world.h"
#include "store/store.h"

namespace granary::lifecycle::simulation {

// Runs work soon, on the world's executor: so that writes queue up and share a commit, as they do
// behind a real worker.
class QueuedWorker final : public base::Worker {
 public:
  explicit QueuedWorker(base::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  void post(std::move_only_function<void()> work) override {
    base::asio::post(executor_, std::move(work));
  }

 private:
  base::asio::any_io_executor executor_;
};

class Disk final {
 public:
  explicit Disk(base::asio::any_io_executor executor);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // The store of the control plane that runs now. Shared with the control plane that uses it: one
  // that was killed holds its own until its calls have returned.
  std::shared_ptr<store::Store> store() const { return store_; }
  const std::string& folder() const { return folder_; }
  // What is on disk now is what the next control plane finds.
  void crash_image();
  // Runs `work` on what is committed, at once. Asserts that it succeeds.
  void look(const store::Work& work);

 private:
  std::string file(std::uint64_t number) const;
  void open();
  void copy_files(std::uint64_t to) const;

  std::string folder_;
  std::uint64_t number_ = 0;
  QueuedWorker writer_;
  base::testing::InlineWorker reader_;
  std::shared_ptr<store::Store> store_;  // with the control plane that runs
  base::asio::io_context looking_{1};
};

}  // namespace granary::lifecycle::simulation

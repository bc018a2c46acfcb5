// Store over two SociSessions: one that writes with group commit, one that reads. Internal to this
// room; made by open_sqlite().
#pragma once

#include <deque>
#include <mutex>

#include "store/soci_session.h"
#include "store/store.h"

namespace granary::store {

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<SociSession> writer, std::unique_ptr<SociSession> reader,
              Workers workers)
      : writer_(std::move(writer)), reader_(std::move(reader)), workers_(workers) {}

  base::Task<base::Result<void>> write(Work work) override;
  base::Task<base::Result<void>> read(Work work) override;

 private:
  using Done = std::move_only_function<void(base::Result<void>)>;
  struct Job {
    Work work;
    Done done;
  };
  void enqueue(Job job);
  void drain();
  base::Result<void> run_batch(std::vector<Job>& batch, std::vector<base::Result<void>>& results);
  base::Result<void> run_job(const Work& work);

  std::unique_ptr<SociSession> writer_;  // on workers_.writer's thread alone
  std::unique_ptr<SociSession> reader_;  // on workers_.reader's thread alone
  Workers workers_;
  std::mutex mutex_;       // guards queue_, shared by callers and the writer's thread
  std::deque<Job> queue_;  // progress: not empty => a drain() is posted or running
};

}  // namespace granary::store

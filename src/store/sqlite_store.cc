#include <deque>
#include <mutex>

#include "base/check.h"
#include "base/contained.h"
#include "base/os/file.h"
#include "store/limits.h"
#include "store/soci_session.h"
#include "store/store.h"

namespace granary::store {

using base::Code;
using base::Result;
using base::Task;

namespace {

// What `work` throws ends that work alone. Rows are read in it, so that, but for a bug of ours, it
// is what is stored that cannot be read.
Result<void> attempt(const Work& work, Transaction& session) {
  try {
    return work(session);
  } catch (const base::BrokenInvariant&) {
    return std::unexpected(base::error_of(std::current_exception()));
  } catch (const std::exception& error) {
    return base::fail_with_advice(
        Code::DataLoss, fmt::format("what the database holds cannot be read: {}", error.what()),
        "Restore the database from a backup, or the tenant from an archive");
  }
}

// Store over two sessions: one that writes with group commit, one that reads.
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

}  // namespace

Task<Result<void>> SqliteStore::write(Work work) {
  auto start = [](auto handler, SqliteStore* store, Work job) {
    auto executor = base::asio::prefer(base::asio::get_associated_executor(handler),
                                       base::asio::execution::outstanding_work.tracked);
    Done done = [handler = std::move(handler), executor](Result<void> result) mutable {
      base::asio::post(executor,
                       [handler = std::move(handler), result = std::move(result)]() mutable {
                         std::move(handler)(std::move(result));
                       });
    };
    store->enqueue(Job{std::move(job), std::move(done)});
  };
  co_return co_await base::asio::async_initiate<const base::asio::use_awaitable_t<>&,
                                                void(Result<void>)>(
      std::move(start), base::asio::use_awaitable, this, std::move(work));
}

Task<Result<void>> SqliteStore::read(Work work) {
  co_return co_await base::run_on(workers_.reader,
                                  [this, work = std::move(work)]() -> Result<void> {
                                    // A deferred transaction: every statement of `work` sees the
                                    // same state.
                                    TRY(reader_->exec("BEGIN", {}));
                                    Result<void> result = attempt(work, *reader_);
                                    auto ended = reader_->exec("ROLLBACK", {});
                                    ASSERT(ended.has_value());
                                    return result;
                                  });
}

void SqliteStore::enqueue(Job job) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = queue_.empty();
    queue_.push_back(std::move(job));
  }
  // While one drain is under way the queue may be empty; a second drain then finds its own job.
  if (first) workers_.writer.post([this] { drain(); });
}

void SqliteStore::drain() {
  std::vector<Job> batch;
  bool more = false;
  {
    const std::scoped_lock lock(mutex_);
    while (!queue_.empty() && batch.size() < kMaxBatch) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    more = !queue_.empty();
  }
  if (batch.empty()) return;
  std::vector<Result<void>> results;
  const Result<void> committed = run_batch(batch, results);
  // One that was already refused keeps its own reason; the others failed with the commit.
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const bool refused = i < results.size() && !results[i];
    batch[i].done(refused ? results[i] : committed);
  }
  if (more) workers_.writer.post([this] { drain(); });
}

Result<void> SqliteStore::run_batch(std::vector<Job>& batch, std::vector<Result<void>>& results) {
  TRY(writer_->exec("BEGIN IMMEDIATE", {}));
  for (Job& job : batch) {
    results.push_back(run_job(job.work));
    // With it went all that the others of the batch had written.
    if (!writer_->in_transaction()) return std::unexpected(results.back().error());
  }
  auto committed = writer_->exec("COMMIT", {});
  if (committed) return {};
  (void)writer_->exec("ROLLBACK", {});  // SQLite may have rolled back by itself already
  return std::unexpected(std::move(committed).error());
}

Result<void> SqliteStore::run_job(const Work& work) {
  TRY(writer_->exec("SAVEPOINT job", {}));
  Result<void> result = attempt(work, *writer_);
  if (!result && !writer_->in_transaction()) return result;
  if (!result) TRY(writer_->exec("ROLLBACK TO job", {}));
  TRY(writer_->exec("RELEASE job", {}));
  return result;
}

namespace {

// Applies what is missing, each migration in a transaction of its own with its number.
Result<void> migrate(Transaction& session, const std::vector<Migration>& schema) {
  TRY(
      session.exec("CREATE TABLE IF NOT EXISTS schema_version "
                   "(number bigint PRIMARY KEY, name text NOT NULL)"));
  TRY_ASSIGN(const std::vector<Row> rows, session.exec("SELECT number FROM schema_version "
                                                       "ORDER BY number DESC LIMIT 1"));
  const std::int64_t present = rows.empty() ? 0 : rows.front().integer(0);
  if (!schema.empty() && present > schema.back().number)
    return base::fail_with_advice(
        Code::DataLoss,
        fmt::format("the database has schema {}, newer than {} which this program knows", present,
                    schema.back().number),
        "Start the newer version of granary that wrote it, or restore an older backup");
  for (const Migration& migration : schema) {
    if (migration.number <= present) continue;
    TRY(session.exec("BEGIN IMMEDIATE"));
    for (const std::string_view statement : migration.statements) {
      auto applied = session.exec(statement);
      if (!applied) {
        (void)session.exec("ROLLBACK");
        return base::annotate(std::move(applied).error(),
                              fmt::format("applying migration {}", migration.number));
      }
    }
    TRY(session.exec("INSERT INTO schema_version (number, name) VALUES (:1, :2)",
                     {std::int64_t{migration.number}, std::string(migration.name)}));
    TRY(session.exec("COMMIT"));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(SqliteOptions options, Workers workers,
                                           const std::vector<Migration>& schema) {
  TRY_ASSIGN(std::unique_ptr<SociSession> writer, SociSession::open(options));
  TRY(migrate(*writer, schema));
  TRY_ASSIGN(std::unique_ptr<SociSession> reader, SociSession::open(options));
  return std::make_unique<SqliteStore>(std::move(writer), std::move(reader), workers);
}

}  // namespace granary::store

// An engine under test, over a real store that may be made to fail, with two kinds of three steps
// whose failures a test writes into a script. Single-threaded, in a world of its own.
#pragma once

#include <gtest/gtest.h>

#include "base/testing/world.h"
#include "operation/engine.h"
#include "store/testing/faulty_store.h"
#include "store/testing/temporary_store.h"

namespace granary::operation::testing {

using base::Code;
using base::Result;
using base::Task;

// What the steps of the kinds under test do, and what they saw.
struct Script {
  std::vector<std::string> ran;                        // "subject:step"
  std::map<std::string, int> failures;                 // step -> how many more transient failures
  std::set<std::string> refused;                       // steps that fail for good
  base::Error reason{Code::Refused, "never", {}, {}};  // of those
  std::set<std::string> held;                          // steps that wait until release() is called
  std::unique_ptr<base::Event> released;
  int running = 0;
  int most_running = 0;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { start(); }
  ~EngineTest() override { stop(); }

  void start() {
    faulty_ = std::make_unique<store::testing::FaultyStore>(store_.get());
    leased_ = std::make_unique<store::LeasedStore>(
        store::LeasedStore::Parts{*faulty_, world_.clock, world_.timer},
        store::LeaseHolder{.name = "the engine under test", .place = "here"},
        store::LeaseTimes{.expires = std::chrono::years(1)});  // nobody renews it
    ASSERT(world_.run(leased_->try_acquire()).has_value());
    engine_ = std::make_unique<Engine>(world_.executor(), *leased_, world_.clock, world_.timer,
                                       world_.rng);
    engine_->add_limit("api", 4);
    script_.released = std::make_unique<base::Event>(world_.executor());
    for (const char* name : {"build", "demolish"}) {
      Kind kind{.name = name, .steps = {}, .on_failure = {}};
      kind.concurrency = 3;
      kind.max_attempts = 4;
      kind.limit = "api";
      kind.role = KindRole::Deployer;
      for (const char* step : {"plan", "act", "tell"})
        kind.steps.push_back({step, [this, step = std::string(step)](const Operation& operation) {
                                return run(operation.subject, step);
                              }});
      kind.on_failure = [](store::Transaction& tx, const Operation& operation) -> Result<void> {
        TRY(tx.exec("INSERT INTO installation (name, value) VALUES (:1, 'failed')",
                    {operation.subject}));
        return {};
      };
      engine_->add_kind(std::move(kind));
    }
  }
  void stop() {
    world_.run(engine_->close());
    engine_.reset();
    leased_.reset();
    faulty_.reset();
  }
  // As after SIGKILL: nothing of the old engine is recorded any more.
  void crash_and_recover() {
    stop();
    store_.reopen();
    script_.held.clear();
    start();
    ASSERT_TRUE(world_.run(engine_->recover()));
  }

  Task<Result<Outcome>> run(std::string subject, std::string step) {
    script_.ran.push_back(subject + ":" + step);
    ++script_.running;
    script_.most_running = std::max(script_.most_running, script_.running);
    while (script_.held.contains(step)) {
      if (!co_await script_.released->wait()) {
        --script_.running;
        co_return base::fail(Code::Cancelled, "stopped");
      }
    }
    --script_.running;
    if (script_.refused.contains(step)) co_return base::Failure(script_.reason);
    if (script_.failures[step] > 0) {
      --script_.failures[step];
      co_return base::fail(Code::Unavailable, "not now");
    }
    Outcome outcome;
    outcome.scratch[step] = "done";
    co_return outcome;
  }

  void release(const std::string& step) {
    script_.held.erase(step);
    script_.released->notify_all();
    world_.settle();
  }

  Operation submit(const std::string& kind, const std::string& subject, std::string key = {}) {
    Request request{.kind = kind,
                    .subject = subject,
                    .input = {},
                    .actor = "test",
                    .idempotency_key = std::move(key)};
    auto result = world_.run(engine_->submit(std::move(request)));
    EXPECT_TRUE(result.has_value());
    return result.value_or(Operation());
  }
  // The fate of the next write, and of the write `later` ones after it.
  void next_write(store::testing::Fate fate, int later = 0) {
    auto left = std::make_shared<int>(later);  // owned by the function that counts it down
    faulty_->set_faults(
        {.of_write = [left, fate] { return (*left)-- == 0 ? fate : store::testing::Fate::Done; },
         .of_read = {},
         .crashed = {}});
  }
  Operation ended(const Operation& operation) {
    return world_.run(engine_->wait(operation.id)).value_or(Operation());
  }

  base::testing::World world_;
  store::testing::TemporaryStore store_;
  std::unique_ptr<store::testing::FaultyStore> faulty_;
  std::unique_ptr<store::LeasedStore> leased_;
  Script script_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace granary::operation::testing

// An engine under test with a parent kind: `fleet` begins a `work` for each of `wanted` subjects, a
// window of them at a time. The work of a subject waits, fails or is not needed as a test says.
// Single-threaded.
#pragma once

#include "operation/testing/engine_test_case.h"

namespace granary::operation::testing {

class FanOutTest : public EngineTest {
 protected:
  FanOutTest() { add_fleet(); }

  void add_fleet() {
    Kind work{.name = "work", .steps = {}, .on_failure = {}};
    work.concurrency = 64;
    work.role = KindRole::Deployer;
    work.steps.push_back({"do", [this](const Operation& operation) { return do_work(operation); }});
    engine_->add_kind(std::move(work));
    for (const char* name : {"fleet", "fleets"}) {
      Kind fleet{.name = name, .steps = {}, .on_failure = {}};
      fleet.role = KindRole::Operator;
      FanOut from;
      from.rules = [this](const Operation&) { return rules_; };
      from.next = [this](const Operation& parent, std::string after, std::uint32_t limit) {
        return next(parent, std::move(after), limit);
      };
      from.count = [this](const Operation&) -> Task<Result<std::uint64_t>> {
        co_return wanted_.size();
      };
      from.result = [](const Operation& parent) {
        return base::json::object{{"made", parent.children.succeeded}};
      };
      fleet.steps.push_back({"prepare", [this](const Operation& operation) {
                               return run(operation.subject, "prepare");
                             }});
      fleet.steps.push_back({"fan-out", {}, std::move(from)});
      engine_->add_kind(std::move(fleet));
    }
  }
  // As after SIGKILL.
  void crash() {
    stop();
    store_.reopen();
    start();
    add_fleet();
    ASSERT_TRUE(world_.run(engine_->recover()));
  }

  Task<Result<Outcome>> do_work(Operation operation) {
    const std::string subject = operation.subject;
    ++worked_[subject];
    ++script_.running;
    script_.most_running = std::max(script_.most_running, script_.running);
    while (held_.contains(subject) || held_.contains("all")) {
      if (!co_await script_.released->wait()) {
        --script_.running;
        co_return base::fail(Code::Cancelled, "stopped");
      }
    }
    --script_.running;
    if (failing_.contains(subject)) co_return base::fail(Code::Refused, "never");
    Outcome outcome;
    co_return outcome;
  }
  Task<Result<std::vector<Child>>> next(Operation parent, std::string after, std::uint32_t limit) {
    ++pages_;
    if (source_fails_ > 0) {
      --source_fails_;
      co_return base::fail(Code::Unavailable, "no list now");
    }
    std::vector<Child> children;
    for (const std::string& subject : wanted_) {
      if (subject <= after || children.size() == std::min(limit, page_)) continue;
      const bool needless = needless_.contains(subject);
      const bool of_fleets = parent.kind == "fleets";
      Request request{.kind = of_fleets ? "fleet" : "work",
                      .subject = of_fleets ? "wave/" + subject : subject,
                      .input = {},
                      .actor = parent.actor,
                      .idempotency_key = {}};
      children.push_back({std::move(request),
                          [needless](store::Transaction&) -> Result<void> {
                            if (needless) return base::fail(Code::NotFound, "it is gone");
                            return {};
                          },
                          subject});
    }
    co_return children;
  }

  void want(int number) {
    for (int i = 0; i < number; ++i) wanted_.push_back(fmt::format("site/{:05}", i));
  }
  void let_go(const std::string& subject) {
    held_.erase(subject);
    script_.released->notify_all();
    world_.settle();
  }
  Children children_of(const Operation& parent) {
    return world_.run(engine_->find(parent.id)).value().children;
  }
  State state_of(const Operation& operation) {
    return world_.run(engine_->find(operation.id)).value().state;
  }
  std::vector<Operation> list_children(const Operation& parent) {
    Engine::Filter filter;
    filter.parent = parent.id.value;
    filter.limit = 1000;
    return world_.run(engine_->list(filter)).value();
  }
  // Each wanted subject has its one child, and the row counts what there is.
  void expect_each_once(const Operation& parent) {
    std::map<std::string, int> of_subject;
    Children counted;
    for (const Operation& child : list_children(parent)) {
      ++of_subject[child.subject];
      ++counted.begun;
      counted.succeeded += child.state == State::Succeeded ? 1U : 0U;
      counted.failed += child.state == State::Failed ? 1U : 0U;
      counted.cancelled += child.state == State::Cancelled ? 1U : 0U;
    }
    for (const auto& [subject, number] : of_subject) EXPECT_EQ(number, 1) << subject;
    const Children row = children_of(parent);
    EXPECT_EQ(row.begun, counted.begun);
    EXPECT_EQ(row.succeeded, counted.succeeded);
    EXPECT_EQ(row.failed, counted.failed);
    EXPECT_EQ(row.cancelled, counted.cancelled);
  }

  FanOutRules rules_{.window = 3, .max_failures = {}, .max_failures_percent = {}};
  std::vector<std::string> wanted_;
  std::set<std::string> held_;
  std::set<std::string> failing_;
  std::set<std::string> needless_;
  std::map<std::string, int> worked_;
  int source_fails_ = 0;
  int pages_ = 0;
  std::uint32_t page_ = 1000;
};

}  // namespace granary::operation::testing

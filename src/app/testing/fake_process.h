// Processes in memory for the supervisor's tests: they end when the test says so, or when they are
// asked to stop, unless they are stubborn.
#pragma once

#include <map>
#include <string>

#include "app/supervisor.h"

namespace granary::app::testing {

class FakeMachine final {
 public:
  explicit FakeMachine(base::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  Role role(const std::string& name) {
    const bool agent = name == "agent";
    return {name, [this, name] { return start(name); }, agent ? AtEnd::Clear : AtEnd::Nothing,
            agent ? [this, name] { return ask(name); } : decltype(Role::ask)()};
  }
  // The one that runs answers no more.
  void silence(const std::string& name) { silent_[name] = true; }
  void refuse(const std::string& name, int times) { refusals_[name] = times; }
  void make_stubborn(const std::string& name) { stubborn_[name] = true; }
  int starts(const std::string& name) { return starts_[name]; }
  bool running(const std::string& name) { return alive_.contains(name); }
  std::vector<std::string> log;  // "start gateway", "end gateway", in order

  void end(const std::string& name, int code) {
    State& state = *alive_.at(name);
    state.code = code;
    log.push_back("end " + name);
    alive_.erase(name);
    state.ended.notify_all();
  }

 private:
  struct State {
    explicit State(const base::asio::any_io_executor& executor) : ended(executor) {}
    std::optional<int> code;
    base::Event ended;
  };

  class FakeProcess final : public Process {
   public:
    FakeProcess(FakeMachine& machine, std::string name, int pid)
        : machine_(machine), name_(std::move(name)), pid_(pid), state_(machine.executor_) {
      machine_.alive_[name_] = &state_;
    }
    int pid() const override { return pid_; }
    base::Task<base::Result<int>> wait() override {
      while (!state_.code) CO_TRY(co_await state_.ended.wait());
      co_return *state_.code;
    }
    void terminate() override {
      machine_.log.push_back("terminate " + name_);
      if (!machine_.stubborn_[name_] && !state_.code) machine_.end(name_, 0);
    }
    void kill() override {
      machine_.log.push_back("kill " + name_);
      if (!state_.code) machine_.end(name_, 137);
    }

   private:
    FakeMachine& machine_;
    std::string name_;
    int pid_;
    State state_;
  };

  base::Result<std::unique_ptr<Process>> start(const std::string& name) {
    if (refusals_[name] > 0) {
      --refusals_[name];
      return base::fail(base::Code::Exhausted, "no more processes");
    }
    if (++starts_[name] > 1) silent_[name] = false;
    log.push_back("start " + name);
    return std::make_unique<FakeProcess>(*this, name, ++last_pid_);
  }

  base::Task<base::Result<void>> ask(std::string name) {
    if (silent_[name]) co_return base::fail(base::Code::Deadline, "no answer");
    co_return base::Result<void>();
  }

  base::asio::any_io_executor executor_;
  std::map<std::string, bool> silent_;
  std::map<std::string, State*> alive_;
  std::map<std::string, int> refusals_;
  std::map<std::string, bool> stubborn_;
  std::map<std::string, int> starts_;
  int last_pid_ = 100;
};

}  // namespace granary::app::testing

// What customers asked for and what they were told: the memory against which the registry is held.
// Each request is one call, known by an actor of its own, which the operation it started carries.
// Single-threaded.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"

namespace granary::lifecycle::simulation {

// A tenant's configuration, as the requests that were recorded make it.
struct Expected {
  bool exists = false;
  std::string name;
  std::string release_hash;
  std::string plan;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> settings;
  std::set<std::string> domains;
  std::map<std::string, std::string> secrets;
  // Of a tenant that was restored: what another tenant has by then it does not get.
  bool domains_known = true;
  bool release_known = true;
  bool plan_known = true;
};

// What belongs to no tenant: "plan/small", "secret/KEY".
using ExpectedGlobals = std::map<std::string, std::string>;

struct Call {
  // Unknown: its answer was lost; it was recorded or not, but will not be recorded later.
  enum class Status { Flying, Acknowledged, Refused, Unknown };

  std::uint64_t number = 0;
  std::string kind;  // of the operation it starts
  std::string tenant;
  std::string key;                         // of idempotency; empty: none
  std::function<void(Expected&)> applies;  // what it does to a tenant's configuration
  std::function<void(ExpectedGlobals&)> applies_globally;
  Status status = Status::Flying;
  base::OperationId operation;  // as it was acknowledged
  // What it asks to be kept, and since when at the earliest, in time that truly passes. 0: nothing.
  std::chrono::milliseconds keeps{0};
  base::BootTime asked{0};

  std::string actor() const { return "sim/" + std::to_string(number); }
};

// What is written without an operation, such as a pin: which values it may have now. A write whose
// answer was lost may have happened or not. Times are numbers that grow with every event.
class Register final {
 public:
  std::size_t begin(std::string value, std::uint64_t now);
  void end(std::size_t write, Call::Status status, std::uint64_t now);
  // Whether it may be `value` by what was written; `initial` is what it was before all writes.
  bool allows(const std::string& value, const std::string& initial) const;
  // Something else wrote it as well: nothing is known any more.
  void give_up() { known_ = false; }

 private:
  struct Write {
    std::string value;
    std::uint64_t began = 0;
    std::uint64_t ended = 0;  // 0: not yet
    Call::Status status = Call::Status::Flying;
  };
  bool is_overwritten(std::uint64_t ended) const;

  std::vector<Write> writes_;
  bool known_ = true;
};

class Journal final {
 public:
  Call& begin(std::string kind, std::string tenant, std::function<void(Expected&)> applies) {
    Call& call = calls_.emplace_back();
    call.number = calls_.size();
    call.kind = std::move(kind);
    call.tenant = std::move(tenant);
    call.applies = std::move(applies);
    return call;
  }
  void acknowledge(Call& call, const base::OperationId& id) {
    call.status = Call::Status::Acknowledged;
    call.operation = id;
    known_.push_back(id);
  }
  // The call that an operation's actor names; nullptr: none of ours.
  const Call* find(const std::string& actor) const;
  const std::deque<Call>& calls() const { return calls_; }
  // Operations that customers have heard of.
  const std::vector<base::OperationId>& known() const { return known_; }

  Register& register_of(const std::string& key) { return registers_[key]; }
  const std::map<std::string, Register>& registers() const { return registers_; }
  std::uint64_t tick() { return ++now_; }

  // Somebody asked that this failed operation be taken up again.
  void note_retry(const base::OperationId& id) { retried_.insert(id); }
  bool was_retried(const base::OperationId& id) const { return retried_.contains(id); }
  // The same, or its parent, which then runs it again.
  bool was_retried(const base::OperationId& id,
                   const std::optional<base::OperationId>& parent) const {
    return was_retried(id) || (parent && was_retried(*parent));
  }

 private:
  std::deque<Call> calls_;  // its elements stay where they are
  std::vector<base::OperationId> known_;
  std::set<base::OperationId> retried_;
  std::map<std::string, Register> registers_;
  std::uint64_t now_ = 0;
};

}  // namespace granary::lifecycle::simulation

// The documents of the API about operations; see documents.h, which includes them. Value types.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace granary::api_wire {

struct ErrorDocument {
  std::string code;
  std::string message;
  std::string advice;
  std::vector<std::string> context;
  bool operator==(const ErrorDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ErrorDocument, (), (code, message, advice, context))

struct StepDocument {
  std::string step;
  std::uint32_t attempt = 0;
  std::string started;
  std::optional<std::string> ended;
  std::string outcome;  // running, done, retry, failed
  std::string detail;
  bool operator==(const StepDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(StepDocument, (), (step, attempt, started, ended, outcome, detail))

struct ChildrenDocument {              // operations that this one has begun
  std::optional<std::uint64_t> total;  // where it is known before all have begun
  std::uint64_t at_work = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t skipped = 0;  // not needed any more when their turn came
  bool operator==(const ChildrenDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ChildrenDocument, (), (total, at_work, succeeded, failed, cancelled, skipped))

struct OperationDocument {
  std::string id;
  std::string kind;     // tenant.create
  std::string subject;  // tenant/acme
  std::string state;    // queued, running, waiting, succeeded, failed, cancelled
  std::string step;
  std::uint32_t attempts = 0;
  std::optional<ErrorDocument> error;  // of the last failed attempt
  std::string actor;
  std::string created;
  std::string updated;
  std::optional<std::string> next_attempt;
  std::optional<std::string> clock_problem;  // why the time of next_attempt may not be the clock's
  std::optional<std::string> follow_up;  // an operation that it started: the check of a deployment
  // What it has made so far, by kind: the id, bytes and sha256 of an archive, the id of a
  // certificate, what a repair found.
  std::optional<base::json::object> result;
  std::optional<std::string> paused;        // since when it begins nothing
  std::optional<std::string> cancel_asked;  // since when it only waits for its children
  std::optional<std::string> parent;        // the operation that began it
  std::optional<ChildrenDocument> children;
  std::vector<std::string> warnings;  // of what it did all the same: sentences
  std::string revision;  // another one after every change; give it with ?wait to hear of the next
  std::vector<StepDocument> history;  // when one operation is asked for
  bool operator==(const OperationDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(OperationDocument, (),
                      (id, kind, subject, state, step, attempts, error, actor, created, updated,
                       next_attempt, clock_problem, follow_up, result, paused, cancel_asked, parent,
                       children, warnings, revision, history))

struct OperationList {
  std::vector<OperationDocument> items;  // newest first
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(OperationList, (), (items, next))

}  // namespace granary::api_wire

// The agent's protocol: over its unix stream socket, frames of a 4-byte little-endian length and
// that many bytes of JSON. A request is {"id": N, "verb": "...", ...}; its answer carries the same
// id and either "result" or "error" (base::json::from_error). Requests of one connection may be
// answered out of order. Who may use which verb is decided by SO_PEERCRED.
//
//   verb      from      arguments                      result
//   activate  gateway   account, service               {"epoch": N}   at once, once startable
//   apply     control   spec (AccountSpec)             {"version": N} when it is in force
//   remove    control   account                        {}             unknown account: success
//   report    control   account                        AccountReport
//   list      control   after, limit                   {"accounts": [AccountReport...], "next"}
//   unpack    control   release (hash)                 {}             bundle -> releases/, once
//   forget    control   release (hash)                 {}             a release no account names
//   logs      control   account, service, cursor       {"lines": [...], "cursor": N}  an empty
//                                                      service: the account's access log
//   export    control   account, transfer              DataExport     disk -> transfers/
//   import    control   account, transfer, sha256      {}             transfers/ -> disk, whole
//   sleep     control   account                        {}             as if idle; for tests and ops
//   fault     gateway   account, service, epoch, reason   {}          the app failed a request
//   ping      any       -                              {"isolation": "full"|"none"}
//
// `activate` errors: NotFound (no such account or service), Refused (suspended), Unavailable
// (backing off; retry_after_ms in the error object's "retry_after_ms"), Exhausted (no memory left
// in the machine's budget), Deadline.
//
// `fault` tells the account why its app failed a request: in the service's log and in its report.
// The reason is one line for people, of kMaxFault bytes at most. Errors: NotFound, InvalidArgument.
//
// `export` and `import` take as long as the data is large. `transfer` is a ULID. Errors of both:
// NotFound, Unavailable (the agent is stopping; `export` also: the disk could not be held still for
// long enough), NoRoom (on this machine), Exhausted (`import`: more than the account's disk
// holds). Of `import`: Conflict (it takes traffic, or runs), InvalidArgument (another hash,
// or what wire/data_archive.h refuses).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace granary::wire {

// One frame's bound: an AccountSpec with the largest manifest fits well.
inline constexpr std::size_t kMaxFrame = 4U << 20;
inline constexpr std::size_t kFrameHead = 4;
inline constexpr std::size_t kMaxFault = 600;

// The whole frame, head included.
std::string encode_frame(const base::json::object& document);
// The length in a frame's head. Errors: Exhausted over kMaxFrame, InvalidArgument for 0.
base::Result<std::size_t> decode_head(std::string_view head);
base::Result<base::json::object> decode_body(std::string_view body);

enum class Verb {
  Activate,
  Apply,
  Remove,
  Report,
  List,
  Unpack,
  Forget,
  Logs,
  Export,
  Import,
  Sleep,
  Fault,
  Ping
};
std::string_view to_string(Verb verb);
base::Result<Verb> verb_from(std::string_view name);

// Other is anybody else on this machine: it gets no verb at all. Root may do what control may.
enum class Peer { Control, Gateway, Other };
bool may_use(Peer peer, Verb verb);

// A request as its frame carries it; `arguments` without "id" and "verb".
struct Request {
  std::int64_t id = 0;
  Verb verb = Verb::Ping;
  base::json::object arguments;
};
std::string encode_request(const Request& request);
base::Result<Request> decode_request(base::json::object document);

// What an error of the agent says beyond base::Error.
struct AgentError {
  base::Error error;
  std::int64_t retry_after_ms = 0;  // 0: it says nothing of it
};
template <class T>
using AgentResult = std::expected<T, AgentError>;

std::string encode_answer(std::int64_t id, const AgentResult<base::json::object>& answer);
struct Answer {
  std::int64_t id = 0;
  AgentResult<base::json::object> result;
};
// Errors: InvalidArgument when it is no answer.
base::Result<Answer> decode_answer(const base::json::object& document);

}  // namespace granary::wire

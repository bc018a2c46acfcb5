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
//   logs      control   account, service, cursor       {"lines": [...], "cursor": N}
//   sleep     control   account                        {}             as if idle; for tests and ops
//   ping      any       -                              {"isolation": "full"|"none"}
//
// `activate` errors: NotFound (no such account or service), Refused (suspended), Unavailable
// (backing off; retry_after_ms in the error object's "retry_after_ms"), Exhausted (no memory left
// in the machine's budget), Deadline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace granary::wire {

// One frame's bound: an AccountSpec with the largest manifest fits well.
inline constexpr std::size_t kMaxFrame = 4U << 20;
inline constexpr std::size_t kFrameHead = 4;

// The whole frame, head included.
std::string encode_frame(const base::json::object& document);
// The length in a frame's head. Errors: Exhausted over kMaxFrame, InvalidArgument for 0.
base::Result<std::size_t> decode_head(std::string_view head);
base::Result<base::json::object> decode_body(std::string_view body);

enum class Verb { Activate, Apply, Remove, Report, List, Unpack, Forget, Logs, Sleep, Ping };
std::string_view to_string(Verb verb);
base::Result<Verb> verb_from(std::string_view name);

enum class Peer { Control, Gateway, Other };
bool may_use(Peer peer, Verb verb);

}  // namespace granary::wire

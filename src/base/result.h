// Result<T>, the one way an expected failure travels, and the Error it carries. Exceptions are
// left for bugs and a broken world. Value types; usable on any executor. Not for control flow
// between states: use an enum there.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace granary::base {

// A closed set: each is mapped exactly once to an HTTP status (api) and to an exit code (cli).
enum class Code {
  InvalidArgument,  // the input is wrong whatever the state; do not retry
  Unauthenticated,  // no or a bad token
  Refused,          // understood, but not allowed (role, policy, safety)
  NotFound,
  AlreadyExists,
  Conflict,      // the state does not allow it now
  Exhausted,     // a quota, limit or bound was met
  NoRoom,        // a disk of this machine is full
  NotSupported,  // known, but not built or not possible on this machine
  Unavailable,   // a peer is away; a retry may help
  Deadline,      // out of time
  Cancelled,
  DataLoss,  // stored data is damaged
  Internal,  // a bug or a broken world
};

// Stable snake_case name, as the API prints it.
std::string_view to_string(Code code);
// Inverse of to_string; Internal for an unknown name.
Code code_from(std::string_view name);

struct Error {
  Code code = Code::Internal;
  std::string message;               // what happened and why, one sentence, for people
  std::string advice;                // what to do next; may be empty
  std::vector<std::string> context;  // outermost last: "deploy insight to acme"

  bool operator==(const Error&) const = default;
};

// "message (while context...). advice" on one line, for logs and terminals.
std::string describe(const Error& error);

template <class T>
using Result = std::expected<T, Error>;
using Failure = std::unexpected<Error>;

// An Error from a format string: fail(Code::NotFound, "no release {}", name).
template <class... Args>
[[nodiscard]] Failure fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(Error{code, fmt::format(format, std::forward<Args>(args)...), {}, {}});
}

// The same with what to do next.
[[nodiscard]] inline Failure fail_with_advice(Code code, std::string message, std::string advice) {
  return Failure(Error{code, std::move(message), std::move(advice), {}});
}

// Adds one frame of context to an error on its way up.
[[nodiscard]] Failure annotate(Error error, std::string context);

// Whether another try of the same call may succeed without anybody acting.
bool is_transient(Code code);

}  // namespace granary::base

// Returns the error of a Result<...> expression from the enclosing function or coroutine.
#define GRANARY_CONCAT_(a, b) a##b
#define GRANARY_CONCAT(a, b) GRANARY_CONCAT_(a, b)
#define TRY(expression)                                      \
  do {                                                       \
    if (auto try_result = (expression); !try_result)         \
      return std::unexpected(std::move(try_result).error()); \
  } while (false)
#define TRY_ASSIGN(declaration, expression)                                    \
  auto GRANARY_CONCAT(try_, __LINE__) = (expression);                          \
  if (!GRANARY_CONCAT(try_, __LINE__))                                         \
    return std::unexpected(std::move(GRANARY_CONCAT(try_, __LINE__)).error()); \
  declaration = std::move(*GRANARY_CONCAT(try_, __LINE__))
// The same two inside a coroutine.
#define CO_TRY(expression)                                      \
  do {                                                          \
    if (auto try_result = (expression); !try_result)            \
      co_return std::unexpected(std::move(try_result).error()); \
  } while (false)
#define CO_TRY_ASSIGN(declaration, expression)                                    \
  auto GRANARY_CONCAT(try_, __LINE__) = (expression);                             \
  if (!GRANARY_CONCAT(try_, __LINE__))                                            \
    co_return std::unexpected(std::move(GRANARY_CONCAT(try_, __LINE__)).error()); \
  declaration = std::move(*GRANARY_CONCAT(try_, __LINE__))

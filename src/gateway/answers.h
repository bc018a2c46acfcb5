// The answers that the gateway gives itself: short, plain, and telling nothing about what is behind
// it. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gateway/heads.h"

namespace granary::gateway {

std::string_view reason_phrase(int status);
// "404 Not Found\n"
std::string plain_body(int status);

enum class Connection { Keep, Close };

// What follows the status line and the fields of any answer to a client: request id, framing,
// what becomes of the connection, and the empty line. Appended to `into`.
struct AnswerEnd {
  std::string_view request_id;
  Framing framing = Framing::None;
  bool has_length = false;
  std::uint64_t length = 0;
  Connection connection = Connection::Keep;
  bool version_11 = true;  // of the client
  bool strict = false;     // browsers are to come by https alone from now on (RFC 6797)
};
void add_answer_end(std::string& into, const AnswerEnd& end);

// Whole seconds, at least one.
std::string retry_after(std::chrono::milliseconds wait);

}  // namespace granary::gateway

#include "egress/connect_head.h"

#include <algorithm>

#include "egress/limits.h"

namespace granary::egress {
namespace {

constexpr std::string_view kMethod = "CONNECT";
constexpr std::string_view kLineEnd = "\r\n";

ConnectHead refused(int status, std::string_view reason) {
  return {.state = ConnectHead::State::Refused, .status = status, .reason = reason};
}

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_visible(c) &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// Nothing that a line may not hold: no control characters but tabs, no bytes beyond ASCII.
bool is_clean(std::string_view line) {
  return std::ranges::all_of(line, [](char c) { return is_visible(c) || c == ' ' || c == '\t'; });
}

// Of "CONNECT host:port HTTP/1.1". Target for State::Connect.
ConnectHead read_first_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  const std::string_view method = line.substr(0, method_end);
  if (!is_clean(line) || method_end == std::string_view::npos || !is_token(method))
    return refused(400, "This is no HTTP request.");
  if (method != kMethod)
    return refused(405,
                   "Only CONNECT is spoken here. Fetch https:// addresses, or let the client make "
                   "a tunnel for http:// ones, too.");
  const std::string_view rest = line.substr(method_end + 1);
  const std::size_t target_end = rest.find(' ');
  const std::string_view target = rest.substr(0, target_end);
  if (target_end == std::string_view::npos || target.empty() ||
      !std::ranges::all_of(target, is_visible))
    return refused(400, "This is no HTTP request.");
  const std::string_view version = rest.substr(target_end + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refused(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  return {.state = ConnectHead::State::Connect, .target = target};
}

// What is wrong with a field, or nothing. Its value is of no interest.
std::string_view field_fault(std::string_view line) {
  const std::string_view name = line.substr(0, line.find(':'));
  if (name.size() == line.size() || !is_token(name) || !is_clean(line))
    return "A line of the head is no field.";
  // RFC 9110, 9.3.6: a CONNECT has no body; where one begins could be read in two ways.
  if (equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "transfer-encoding"))
    return "A CONNECT request has no body.";
  return {};
}

}  // namespace

ConnectHead parse_connect(std::string_view received) {
  const std::string_view bounded = received.substr(0, kHeadBytes);
  ConnectHead head;
  std::size_t at = 0;
  for (std::size_t lines = 0;; ++lines) {
    const std::size_t end = bounded.find(kLineEnd, at);
    const std::string_view line = bounded.substr(at, std::min(end, bounded.size()) - at);
    // A bare line feed never becomes a line's end by more bytes.
    if (line.find('\n') != std::string_view::npos)
      return refused(400, "A line of the head has no CR at its end.");
    if (end == std::string_view::npos) break;
    at = end + kLineEnd.size();
    if (lines == 0) {
      head = read_first_line(line);
      if (head.state != ConnectHead::State::Connect) return head;
      continue;
    }
    if (line.empty()) {
      head.bytes = at;
      return head;
    }
    if (lines > kHeadFields) return refused(431, "The head has too many fields.");
    if (const std::string_view fault = field_fault(line); !fault.empty())
      return refused(400, fault);
  }
  if (received.size() >= kHeadBytes) return refused(431, "The head is longer than 8 KiB.");
  return {};
}

}  // namespace granary::egress

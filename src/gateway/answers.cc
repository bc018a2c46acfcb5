#include "gateway/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "gateway/limits.h"

namespace granary::gateway {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Error";
  }
}

std::string plain_body(int status) { return fmt::format("{} {}\n", status, reason_phrase(status)); }

void add_answer_end(std::string& into, const AnswerEnd& end) {
  into.append("X-Request-Id: ").append(end.request_id).append("\r\n");
  if (end.framing == Framing::Chunked)
    into += "Transfer-Encoding: chunked\r\n";
  else if (end.has_length)
    fmt::format_to(std::back_inserter(into), "Content-Length: {}\r\n", end.length);
  if (end.connection == Connection::Close)
    into += "Connection: close\r\n";
  else if (!end.version_11)
    into += "Connection: keep-alive\r\n";
  if (end.strict)
    fmt::format_to(std::back_inserter(into), "Strict-Transport-Security: max-age={}\r\n",
                   kStrictTransport.count());
  into += "\r\n";
}

std::string retry_after(std::chrono::milliseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
  return fmt::format("Retry-After: {}\r\n", std::max<std::int64_t>(seconds.count(), 1));
}

}  // namespace granary::gateway

#include <charconv>

#include "api/agent_answer.h"
#include "api/handlers.h"
#include "api/limits.h"
#include "api/views.h"
#include "base/text.h"

// What several handlers share.
namespace granary::api {

using base::Code;
using base::Result;

Response accepted(const operation::Operation& operation) {
  Response response = answer(operation_document(operation), http::status::accepted);
  response.headers.emplace_back("Location", "/v1/operations/" + operation.id.value);
  return response;
}

base::Task<base::Error> agent_away(Context& context) {
  if (const auto slept = co_await context.parts.timer.sleep(kAskAgentAfter); !slept)
    co_return slept.error();
  co_return co_await context.parts.platform.agent_away();
}

Response no_content() {
  Response response;
  response.status = http::status::no_content;
  return response;
}

Result<std::uint64_t> query_number(const Request& request, const std::string& name,
                                   std::uint64_t fallback) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  const std::string& text = found->second;
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return base::fail(Code::InvalidArgument, "parameter '{}' must be a whole number", name);
  return number;
}

Result<std::uint32_t> page_limit(const Request& request) {
  TRY_ASSIGN(const std::uint64_t limit, query_number(request, "limit", kDefaultPage));
  if (limit < 1 || limit > kMaxPage)
    return base::fail(Code::InvalidArgument, "parameter 'limit' must be from 1 to {}", kMaxPage);
  return static_cast<std::uint32_t>(limit);
}

lifecycle::Caller caller_of(const Request& request) {
  return {.actor = request.actor(), .idempotency_key = request.idempotency_key};
}

base::AccountId tenant_in(const Request& request) {
  return base::AccountId(request.place("tenant"));
}

Result<base::WallTime> moment_of(std::string_view name, const std::string& text, base::WallTime now,
                                 Direction direction) {
  if (const auto time = base::parse_rfc3339(text)) return *time;
  if (const auto distance = base::parse_duration(text))
    return direction == Direction::Hence ? now + *distance : now - *distance;
  return base::fail_with_advice(
      Code::InvalidArgument,
      fmt::format("{}: {} is neither a time nor a duration", name, base::quote(text)),
      "Write 2030-01-31T12:00:00Z, or how far it is from now, such as 48h or 30d");
}

}  // namespace granary::api

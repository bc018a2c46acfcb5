#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/handlers.h"
#include "api/limits.h"
#include "api/views.h"

// Operations: what runs, what ran, and waiting for it.
namespace granary::api {

using base::Code;
using base::OperationId;
using base::Result;
using base::Task;
using operation::Operation;

namespace {

OperationId operation_in(const Request& request) { return OperationId(request.place("operation")); }

Access access_for(operation::KindRole role) {
  return role == operation::KindRole::Deployer ? Access::Deployer : Access::Operator;
}

// An operation may be changed by whoever may start one of its kind. Errors: NotSupported for a kind
// that this program does not know.
Task<Result<Operation>> find_for_change(Context& context, const Request& request) {
  CO_TRY_ASSIGN(Operation operation, co_await context.parts.engine.find(operation_in(request)));
  CO_TRY_ASSIGN(const operation::KindRole role, context.parts.engine.role_of(operation.kind));
  const Access needed = access_for(role);
  if (!allows(request.token.role, needed))
    co_return base::fail_with_advice(
        Code::Refused, fmt::format("{} asks for the role {}", operation.kind, to_string(needed)),
        "Use a token with that role");
  co_return operation;
}

struct Waiting {
  std::chrono::nanoseconds time{0};
  std::string revision;  // not empty: answer as soon as it is another one
};

Result<Waiting> waiting_of(const Request& request) {
  Waiting waiting;
  if (request.query.contains("wait")) {
    TRY_ASSIGN(const auto time, base::parse_duration(request.query.at("wait")));
    waiting.time = std::min<std::chrono::nanoseconds>(time, kMaxWait);
  }
  waiting.revision = request.query_or("revision", "");
  return waiting;
}

bool is_news(const Operation& operation, const Waiting& waiting) {
  return operation::is_final(operation.state) ||
         (!waiting.revision.empty() && waiting.revision != revision_of(operation));
}

Task<Result<Operation>> wait_for_news(Context& context, OperationId id, Waiting waiting) {
  const base::Clock& clock = context.parts.clock;
  const base::BootTime end = clock.boot() + waiting.time;
  Feed::Watch watch(context.feed, id);
  for (;;) {
    const std::uint64_t seen = watch.count();
    CO_TRY_ASSIGN(Operation operation, co_await context.parts.engine.find(id));
    if (is_news(operation, waiting) || clock.boot() >= end) co_return operation;
    if (watch.count() == seen) co_await watch.wait(context.parts.timer, end - clock.boot());
  }
}

}  // namespace

Answer list_operations(Context& context, Request request) {
  operation::Engine::Filter filter;
  filter.subject = request.query_or("subject", "");
  filter.kind = request.query_or("kind", "");
  filter.parent = request.query_or("parent", "");
  filter.after = request.query_or("after", "");
  const std::string state = request.query_or("state", "");
  if (!state.empty()) {
    CO_TRY_ASSIGN(filter.state, operation::state_from(state));
  }
  CO_TRY_ASSIGN(filter.limit, page_limit(request));
  const std::size_t limit = filter.limit;
  // The engine's bound is the same as a page's here: with a full page there may be another.
  CO_TRY_ASSIGN(const auto operations, co_await context.parts.engine.list(filter));
  api_wire::OperationList page;
  for (const Operation& operation : operations) page.items.push_back(operation_document(operation));
  if (operations.size() == limit) page.next = operations.back().id.value;
  co_return answer(page);
}

Answer show_operation(Context& context, Request request) {
  CO_TRY_ASSIGN(const Waiting waiting, waiting_of(request));
  const OperationId id = operation_in(request);
  CO_TRY_ASSIGN(const Operation operation, co_await wait_for_news(context, id, waiting));
  api_wire::OperationDocument document = operation_document(operation);
  if (operation.state == operation::State::Waiting)
    if (std::string problem = context.parts.time.problem(); !problem.empty())
      document.clock_problem = std::move(problem);
  CO_TRY_ASSIGN(const auto history, co_await context.parts.engine.history(id));
  for (const auto& record : history) document.history.push_back(step_document(record));
  co_return answer(document);
}

Answer retry_operation(Context& context, Request request) {
  CO_TRY(co_await find_for_change(context, request));
  CO_TRY_ASSIGN(const Operation operation,
                co_await context.parts.engine.retry(operation_in(request)));
  co_return accepted(operation);
}

Answer pause_operation(Context& context, Request request) {
  CO_TRY(co_await find_for_change(context, request));
  CO_TRY_ASSIGN(const Operation operation,
                co_await context.parts.engine.pause(operation_in(request)));
  co_return accepted(operation);
}

Answer resume_operation(Context& context, Request request) {
  CO_TRY(co_await find_for_change(context, request));
  CO_TRY_ASSIGN(const Operation operation,
                co_await context.parts.engine.resume(operation_in(request)));
  co_return accepted(operation);
}

Answer cancel_operation(Context& context, Request request) {
  using base::asio::experimental::awaitable_operators::operator||;
  CO_TRY(co_await find_for_change(context, request));
  const OperationId id = operation_in(request);
  // The engine answers when the step that runs has ended, which may take longer than a request.
  auto outcome = co_await (context.parts.engine.cancel(id) || context.parts.timer.sleep(kMaxWait));
  if (outcome.index() == 0) {
    CO_TRY_ASSIGN(const Operation operation, std::get<0>(std::move(outcome)));
    co_return accepted(operation);
  }
  CO_TRY_ASSIGN(const Operation operation, co_await context.parts.engine.find(id));
  co_return accepted(operation);
}

}  // namespace granary::api

#include "api/handlers.h"
#include "api/wire/platform_documents.h"

// The installation's time, and the machine's clock beside it.
namespace granary::api {

using lifecycle::TimeKeeper;

namespace {

api_wire::ClockDocument clock_document(const TimeKeeper& time, const TimeKeeper::Report& report) {
  api_wire::ClockDocument document;
  document.standing = base::to_string(report.reading.standing);
  document.time = base::to_rfc3339(report.reading.time);
  document.wall = base::to_rfc3339(report.wall);
  document.ahead_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(report.reading.ahead).count();
  if (report.since) document.since = base::to_rfc3339(*report.since);
  if (report.believed_in.count() > 0)
    document.believed_in_ms = static_cast<std::uint64_t>(report.believed_in.count());
  if (const std::string problem = time.problem(); !problem.empty()) {
    document.problem = problem;
    document.advice = time.advice();
  }
  document.retentions = report.waiting.retentions;
  document.archives = report.waiting.archives;
  document.tokens = report.waiting.tokens;
  return document;
}

}  // namespace

Answer show_clock(Context& context, Request) {
  TimeKeeper& time = context.parts.time;
  CO_TRY_ASSIGN(const TimeKeeper::Report report, co_await time.report());
  co_return answer(clock_document(time, report));
}

Answer accept_clock(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto wish, body_of<api_wire::AcceptClockDocument>(request));
  TimeKeeper& time = context.parts.time;
  CO_TRY_ASSIGN(const TimeKeeper::Report report,
                co_await time.accept(std::chrono::milliseconds(wish.ahead_ms), caller_of(request)));
  co_return answer(clock_document(time, report));
}

}  // namespace granary::api

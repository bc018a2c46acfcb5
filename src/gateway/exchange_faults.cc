// What is told of failures to who wrote the app.
#include <fmt/format.h>

#include "gateway/exchange.h"

namespace granary::gateway {

static_assert(kInterimAnswers == 8);  // a fault says so

void Exchange::note_fault(FaultKind kind, std::string_view reason) {
  core_.faults.note(
      lease_.service().id,
      {.kind = kind, .reason = reason, .request_id = kit_.request_id, .epoch = epoch_});
}

void Exchange::note_failure(Failure failure) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  switch (failure) {
    case Failure::NotAccepting:
      return note_fault(
          FaultKind::NotAccepting,
          fmt::format("the app takes no requests: nothing was taken within start_timeout ({} ms). "
                      "With `listen: fd` it accepts on descriptor 3: a wrapper runs it by `exec`, "
                      "gunicorn needs no --bind, and a server that opens a socket of its own needs "
                      "`listen: PORT`. With `listen: PORT` it serves 127.0.0.1 at that port",
                      service_.start_timeout.count()));
    case Failure::TooSlow:
      return note_fault(FaultKind::TooSlow,
                        fmt::format("no answer came within {} s. Work that takes longer belongs "
                                    "into a job of its own",
                                    duration_cast<seconds>(kAnswer).count()));
    case Failure::Unread:
      return note_fault(FaultKind::Closed,
                        "the app closed the connection before it had read the request");
    case Failure::Ended:
      return note_fault(FaultKind::Closed, "the app closed the connection without an answer");
    case Failure::Garbage:
      return note_fault(FaultKind::NotHttp,
                        fmt::format("the app's answer is malformed: {}", broken_rule_));
    case Failure::None:
    case Failure::Upload:
    case Failure::ClientGone:
      return;  // no fault of the app
  }
}

}  // namespace granary::gateway

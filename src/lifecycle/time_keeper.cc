#include "lifecycle/time_keeper.h"

#include <array>

#include "base/limits.h"
#include "base/log.h"
#include "registry/audit.h"
#include "registry/clock_row.h"

namespace granary::lifecycle {

using base::ClockStanding;
using base::Code;
using base::Result;
using base::Task;
using base::TrustedTime;
using base::json::object;
using operation::Operation;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using store::Transaction;

namespace {

constexpr const char* kSubject = "clock";

object audited(const TrustedTime& known, const base::ClockReading& reading) {
  object document;
  document["standing"] = base::to_string(reading.standing);
  document["ahead_ms"] = duration_cast<milliseconds>(reading.ahead).count();
  document["time"] = base::to_rfc3339(known.time);
  document["wall"] = base::to_rfc3339(known.wall);
  return document;
}

store::Work tell_audit(std::string actor, std::string action, object before, object after,
                       base::WallTime now) {
  return [change = registry::AuditChange{std::move(actor), std::move(action), kSubject,
                                         std::move(before), std::move(after)},
          now](Transaction& tx) -> Result<void> {
    TRY(registry::append_audit(tx, change, now));
    return {};
  };
}

// Only while it is free, and for as long as it lives.
class Busy final {
 public:
  Busy(bool& busy, base::Event& free) : busy_(busy), free_(free) { busy_ = true; }
  ~Busy() {
    busy_ = false;
    free_.notify_all();
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& busy_;
  base::Event& free_;
};

}  // namespace

std::string about(microseconds length) {
  struct Unit {
    std::string_view name;
    std::chrono::seconds length;
  };
  constexpr std::array kUnits = {Unit{"day", std::chrono::days(1)},
                                 Unit{"hour", std::chrono::hours(1)},
                                 Unit{"minute", std::chrono::minutes(1)}};
  const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::abs(length));
  for (const Unit& unit : kUnits) {
    const auto number = seconds / unit.length;
    if (number > 0) return fmt::format("{} {}{}", number, unit.name, number == 1 ? "" : "s");
  }
  return fmt::format("{} second{}", seconds.count(), seconds.count() == 1 ? "" : "s");
}

Task<Result<void>> TimeKeeper::alone() {
  while (busy_) CO_TRY(co_await free_.wait());
  co_return Result<void>();
}

Task<Result<void>> TimeKeeper::keep(TrustedTime known, store::Work also) {
  co_return co_await parts_.store.write([&](Transaction& tx) -> Result<void> {
    if (also) TRY(also(tx));
    return registry::put_trusted_time(tx, known);
  });
}

Task<Result<void>> TimeKeeper::recover() {
  std::optional<TrustedTime> kept;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(kept, registry::find_trusted_time(tx));
    return {};
  }));
  const base::ClockLook now = parts_.clock.look();
  const TrustedTime known = kept ? base::after_restart(*kept, parts_.clock.boot_id(), now)
                                 : base::first_look(parts_.clock.boot_id(), now);
  if (kept != known) CO_TRY(co_await keep(known, {}));
  parts_.clock.adopt(known);
  if (const std::string wrong = problem(); !wrong.empty())
    base::log::warn("{}. {}", wrong, advice());
  co_return Result<void>();
}

Task<Result<void>> TimeKeeper::look() {
  CO_TRY(co_await alone());
  const Busy busy(busy_, free_);
  const TrustedTime before = parts_.clock.known();
  const base::ClockLook now = parts_.clock.look();
  const TrustedTime known = parts_.clock.known_after(now);
  store::Work also;
  if (known.since.has_value() != before.since.has_value()) {
    object after = audited(known, base::read_clock(known, now));
    also = tell_audit("granary", known.since ? "clock.disagrees" : "clock.agrees", {},
                      std::move(after), known.time);
  }
  CO_TRY(co_await keep(known, also));
  parts_.clock.adopt(known);
  if (also && known.since) base::log::warn("{}. {}", problem(), advice());
  if (also && !known.since) {
    base::log::info("the wall clock and the time that has passed agree again");
    parts_.engine.take_up_due();
  }
  co_return Result<void>();
}

Task<Result<std::uint64_t>> TimeKeeper::count_retentions(base::WallTime until) {
  operation::Engine::Filter filter{.subject = {},
                                   .kind = "tenant.offboard",
                                   .state = operation::State::Waiting,
                                   .after = {},
                                   .limit = 1'000};
  std::uint64_t count = 0;
  for (bool more = true; more;) {
    CO_TRY_ASSIGN(const auto page, co_await parts_.engine.list(filter));
    for (const Operation& operation : page) {
      const bool retains = !operation.error && operation.next_attempt;
      if (retains && *operation.next_attempt <= until) ++count;
    }
    more = page.size() == filter.limit;
    if (more) filter.after = page.back().id.value;
  }
  co_return count;
}

Task<Result<TimeKeeper::Report>> TimeKeeper::report() {
  const TrustedTime known = parts_.clock.known();
  Report report{.reading = parts_.clock.read(), .wall = parts_.clock.look().wall, .since = {}};
  if (report.reading.standing == ClockStanding::Agrees) co_return report;
  report.since = known.since.value_or(report.reading.time);
  if (report.reading.standing == ClockStanding::Absent)
    report.believed_in = duration_cast<milliseconds>(base::kAbsenceWatched - known.watched);
  if (report.wall <= report.reading.time) co_return report;
  registry::EndingBetween ending;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(ending, registry::count_ending(tx, report.reading.time, report.wall));
    return {};
  }));
  CO_TRY_ASSIGN(const std::uint64_t retentions, co_await count_retentions(report.wall));
  report.waiting = {.retentions = retentions, .archives = ending.archives, .tokens = ending.tokens};
  co_return report;
}

microseconds TimeKeeper::difference() const {
  const base::ClockReading reading = parts_.clock.read();
  return reading.standing == ClockStanding::Agrees ? microseconds(0) : reading.ahead;
}

std::string TimeKeeper::problem() const {
  const base::ClockReading reading = parts_.clock.read();
  const std::string length = about(reading.ahead);
  switch (reading.standing) {
    case ClockStanding::Agrees:
      return {};
    case ClockStanding::Absent:
      return fmt::format(
          "The machine was off for {} by its clock, which nothing else confirms: retentions, "
          "archives, tokens and pins do not count that time yet",
          length);
    case ClockStanding::Ahead:
      return fmt::format(
          "The clock is {} ahead of the time that has passed since it was right: what it would "
          "end (retentions, archives, tokens, pins) waits, and time goes on by the machine's "
          "up-time",
          length);
    case ClockStanding::Behind:
      break;
  }
  return fmt::format(
      "The clock is {} behind the time that has passed since it was right: retentions, archives, "
      "tokens and pins go on by the machine's up-time",
      length);
}

std::string TimeKeeper::advice() const {
  const base::ClockReading reading = parts_.clock.read();
  if (reading.standing == ClockStanding::Agrees) return {};
  std::string text =
      "Compare date(1) with another clock. If it is wrong, set it right, and all "
      "goes on by itself. If it is right: granary clock accept";
  if (reading.standing == ClockStanding::Absent)
    text += fmt::format(
        "; without a word it is believed after {} of up-time",
        about(duration_cast<microseconds>(base::kAbsenceWatched - parts_.clock.known().watched)));
  return text;
}

Task<Result<TimeKeeper::Report>> TimeKeeper::accept(milliseconds ahead, Caller caller) {
  CO_TRY(co_await alone());
  {
    const Busy busy(busy_, free_);
    const base::ClockReading reading = parts_.clock.read();
    if (reading.standing == ClockStanding::Agrees)
      co_return base::fail(Code::Conflict,
                           "the clock agrees with the time that has passed: there "
                           "is nothing to accept");
    if (std::chrono::abs(reading.ahead - ahead) > base::kClockTolerance)
      co_return base::fail_with_advice(
          Code::Conflict,
          fmt::format("the clock is {} {} now, which is not what was accepted",
                      about(reading.ahead), reading.ahead.count() > 0 ? "ahead" : "behind"),
          "Look again: granary clock show");
    const TrustedTime before = parts_.clock.known();
    const base::ClockLook now = parts_.clock.look();
    const TrustedTime known = base::accept_clock(before, now);
    object left = audited(before, reading);
    left["time"] = base::to_rfc3339(reading.time);
    CO_TRY(
        co_await keep(known, tell_audit(caller.actor, "clock.accept", std::move(left),
                                        audited(known, base::read_clock(known, now)), known.time)));
    parts_.clock.jump(known);
    base::log::warn("the clock was accepted by {}: it is {}", caller.actor,
                    base::to_rfc3339(known.time));
  }
  parts_.engine.take_up_due();
  co_return co_await report();
}

}  // namespace granary::lifecycle

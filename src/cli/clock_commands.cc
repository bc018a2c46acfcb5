#include "api/wire/platform_documents.h"
#include "cli/commands.h"
#include "cli/text.h"

// granary clock ...: the time that the installation goes by, and the machine's clock.
namespace granary::cli {

using api_wire::AcceptClockDocument;
using api_wire::ClockDocument;
using base::Result;

namespace {

std::string ending(const ClockDocument& clock) {
  return fmt::format("{} retentions, {} archives, {} tokens", clock.retentions, clock.archives,
                     clock.tokens);
}

std::string text_of(const ClockDocument& clock) {
  Facts facts;
  facts.add("standing", clock.standing);
  facts.add("time in force", clock.time);
  facts.add("this machine's clock", clock.wall);
  facts.add("since", clock.since.value_or(""));
  if (!clock.problem) return facts.text();
  facts.add("accepting it ends", ending(clock));
  return fmt::format("{}\n{}.\n{}.\n", facts.text(), *clock.problem, clock.advice.value_or(""));
}

Result<ClockDocument> get_clock(Session& session) {
  return session.api().get<ClockDocument>(path_of({"v1", "clock"}));
}

Result<void> show_clock(Session& session) {
  TRY_ASSIGN(const auto clock, get_clock(session));
  session.show(clock, [&] { return text_of(clock); });
  return {};
}

Result<void> accept_clock(Session& session, const bool& yes) {
  TRY_ASSIGN(const auto clock, get_clock(session));
  if (!yes && clock.problem) {
    const std::string question = fmt::format("{}.\nAccepting {} as the time ends at once: {}.",
                                             *clock.problem, clock.wall, ending(clock));
    TRY(session.confirm(question, "accept"));
  }
  const AcceptClockDocument wish{clock.ahead_ms};
  TRY_ASSIGN(const auto accepted, session.api().send<ClockDocument>(
                                      http::verb::post, path_of({"v1", "clock", "accept"}), wish));
  session.tell("the clock is accepted: it is " + accepted.time);
  session.show(accepted, [&] { return text_of(accepted); });
  return {};
}

}  // namespace

void add_clock_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "clock", "the time that retentions and tokens go by");
  commands.on(add_verb(*noun, "show", "that time beside the machine's clock, and what waits"),
              show_clock);
  CLI::App* accept =
      add_verb(*noun, "accept", "go by the machine's clock again after it has leapt");
  const auto yes = std::make_shared<bool>(false);
  accept->add_flag("--yes", *yes, "do not ask before that");
  commands.on(accept, [yes](Session& session) { return accept_clock(session, *yes); });
}

}  // namespace granary::cli

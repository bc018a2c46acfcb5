#include "cli/commands.h"
#include "cli/text.h"

// granary operation ...
namespace granary::cli {

using api_wire::OperationDocument;
using api_wire::OperationList;
using base::Result;

namespace {

struct OperationOptions {
  std::string id;
  std::string subject;
  std::string kind;
  std::string state;
  std::string parent;
  bool no_wait = false;
};

std::string text_of(const api_wire::ChildrenDocument& children) {
  std::string text = fmt::format("{} succeeded, {} failed, {} at work", children.succeeded,
                                 children.failed, children.at_work);
  if (children.cancelled > 0) text += fmt::format(", {} cancelled", children.cancelled);
  if (children.skipped > 0) text += fmt::format(", {} not needed", children.skipped);
  return children.total ? fmt::format("{}; {} in all", text, *children.total) : text;
}

std::string text_of(const OperationDocument& operation, base::WallTime now) {
  Facts facts;
  facts.add("operation", operation.id);
  facts.add("kind", operation.kind);
  facts.add("subject", operation.subject);
  facts.add("state", operation.state);
  facts.add("step", operation.step);
  facts.add("attempts", std::to_string(operation.attempts));
  if (operation.error) {
    facts.add("error", operation.error->message);
    facts.add("to do", operation.error->advice);
  }
  facts.add("next try", operation.next_attempt.value_or(""));
  if (operation.clock_problem) {
    facts.add("clock", *operation.clock_problem);
    facts.add("to do", "granary clock show");
  }
  facts.add("paused", operation.paused.value_or(""));
  if (operation.cancel_asked)
    facts.add("cancelled", "it ends when the operations that it has begun have ended");
  if (operation.children) facts.add("operations", text_of(*operation.children));
  facts.add("begun by", operation.parent.value_or(""));
  facts.add("by", operation.actor);
  facts.add("created", fmt::format("{} ({} ago)", operation.created, age(operation.created, now)));
  facts.add("started", operation.follow_up.value_or(""));
  std::string text = facts.text();
  if (operation.result && !operation.result->empty())
    text += "\nresult:\n" + outline(*operation.result);
  if (operation.history.empty()) return text;
  Table table({"STEP", "ATTEMPT", "STARTED", "OUTCOME", "DETAIL"});
  for (const auto& step : operation.history)
    table.add({step.step, std::to_string(step.attempt), step.started, step.outcome, step.detail});
  return text + "\n" + table.text();
}

Result<void> list_operations(Session& session, const OperationOptions& options) {
  TRY_ASSIGN(const auto list, session.api().get_all<OperationList>(path_of({"v1", "operations"}),
                                                                   {{"subject", options.subject},
                                                                    {"kind", options.kind},
                                                                    {"state", options.state},
                                                                    {"parent", options.parent}}));
  session.show(list, [&] {
    Table table({"OPERATION", "KIND", "SUBJECT", "STATE", "STEP", "AGE", "ERROR"});
    for (const auto& operation : list.items)
      table.add({operation.id, operation.kind, operation.subject, operation.state, operation.step,
                 age(operation.created, session.now()),
                 operation.error ? operation.error->message : ""});
    return table.text();
  });
  return {};
}

Result<void> show(Session& session, const OperationDocument& operation) {
  session.show(operation, [&] { return text_of(operation, session.now()); });
  return {};
}

Result<void> show_operation(Session& session, const OperationOptions& options) {
  TRY_ASSIGN(const auto operation,
             session.api().get<OperationDocument>(path_of({"v1", "operations", options.id})));
  return show(session, operation);
}

Result<void> wait_for_operation(Session& session, const OperationOptions& options) {
  TRY_ASSIGN(auto operation,
             session.api().get<OperationDocument>(path_of({"v1", "operations", options.id})));
  TRY_ASSIGN(operation, session.wait(std::move(operation)));
  return show(session, operation);
}

Result<void> retry_operation(Session& session, const OperationOptions& options) {
  TRY_ASSIGN(auto operation, session.api().post<OperationDocument>(
                                 path_of({"v1", "operations", options.id, "retry"})));
  if (!options.no_wait) {
    TRY_ASSIGN(operation, session.wait(std::move(operation)));
  }
  return show(session, operation);
}

Result<void> cancel_operation(Session& session, const OperationOptions& options) {
  TRY_ASSIGN(const auto operation, session.api().post<OperationDocument>(
                                       path_of({"v1", "operations", options.id, "cancel"})));
  return show(session, operation);
}

Result<void> pause_operation(Session& session, const OperationOptions& options) {
  TRY_ASSIGN(const auto operation, session.api().post<OperationDocument>(
                                       path_of({"v1", "operations", options.id, "pause"})));
  return show(session, operation);
}

Result<void> resume_operation(Session& session, const OperationOptions& options) {
  TRY_ASSIGN(const auto operation, session.api().post<OperationDocument>(
                                       path_of({"v1", "operations", options.id, "resume"})));
  return show(session, operation);
}

using Verb = Result<void> (*)(Session&, const OperationOptions&);

CLI::App* add(CLI::App& noun, Commands& commands, const std::string& name, const std::string& help,
              Verb verb) {
  CLI::App* command = add_verb(noun, name, help);
  const auto options = std::make_shared<OperationOptions>();
  command->add_option("ID", options->id)->required();
  if (verb == retry_operation)
    command->add_flag("--no-wait", options->no_wait, "do not wait for the end");
  commands.on(command, [options, verb](Session& session) { return verb(session, *options); });
  return command;
}

}  // namespace

void add_operation_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "operation", "what is being done, was done, or failed");
  CLI::App* list = add_verb(*noun, "list", "operations, newest first");
  const auto options = std::make_shared<OperationOptions>();
  list->add_option("--subject", options->subject, "only of this, such as tenant/acme");
  list->add_option("--kind", options->kind, "only of this kind, such as tenant.create");
  list->add_option("--state", options->state,
                   "queued, running, waiting, succeeded, failed or cancelled");
  list->add_option("--parent", options->parent, "only those that this operation has begun");
  commands.on(list, [options](Session& session) { return list_operations(session, *options); });
  add(*noun, commands, "show", "one operation and its steps", show_operation);
  add(*noun, commands, "wait", "until it has ended", wait_for_operation);
  add(*noun, commands, "retry", "take up a failed one at the step that failed", retry_operation);
  add(*noun, commands, "pause", "begin no further step of it, and no further operation by it",
      pause_operation);
  add(*noun, commands, "resume", "let a paused one go on", resume_operation);
  add(*noun, commands, "cancel",
      "end it before its next step; those that it has not begun yet are cancelled",
      cancel_operation);
}

}  // namespace granary::cli

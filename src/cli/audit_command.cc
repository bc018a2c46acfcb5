#include <charconv>

#include "api/wire/platform_documents.h"
#include "cli/commands.h"
#include "cli/text.h"

// granary audit: who changed what, and whether the log of it is whole.
namespace granary::cli {

using api_wire::AuditCheckDocument;
using api_wire::AuditEntryDocument;
using api_wire::AuditHeadDocument;
using api_wire::AuditList;
using base::Code;
using base::Result;

namespace {

struct AuditOptions {
  std::string subject;
  std::string since;
  bool check = false;
  CLI::Option* head = nullptr;  // given without a value: print it
  std::string known;            // NUMBER:HASH
};

std::string path_to_check() { return path_of({"v1", "audit", "check"}); }

std::string head_text(const AuditHeadDocument& head) {
  return fmt::format("{}:{}", head.number, safe(head.hash));
}

// Times and durations that the log has as microseconds, in the units of the command line.
void make_readable(base::json::object& object) {
  for (auto& member : object) {
    if (auto* inner = member.value().if_object()) make_readable(*inner);
    const std::int64_t* number = member.value().if_int64();
    const std::string_view name(member.key());
    if (number == nullptr) continue;
    const std::chrono::microseconds time(*number);
    if (name.ends_with("_us"))
      member.value() = base::format_duration(std::chrono::ceil<std::chrono::milliseconds>(time));
    if (name.ends_with("_until")) member.value() = base::to_rfc3339(base::WallTime(time));
  }
}

std::string for_people(const base::json::value* value) {
  if (value == nullptr) return "-";
  base::json::value copy = *value;
  if (auto* object = copy.if_object()) make_readable(*object);
  return base::json::print(copy);
}

// "name: old -> new" for each member that changed.
std::string change_of(const AuditEntryDocument& entry) {
  std::vector<std::string> changes;
  for (const auto& member : entry.after)
    changes.push_back(fmt::format("{}: {} -> {}", std::string_view(member.key()),
                                  for_people(entry.before.if_contains(member.key())),
                                  for_people(&member.value())));
  for (const auto& member : entry.before) {
    if (!entry.after.contains(member.key()))
      changes.push_back(
          fmt::format("{}: {} -> -", std::string_view(member.key()), for_people(&member.value())));
  }
  return fmt::format("{}", fmt::join(changes, ", "));
}

Result<void> list_entries(Session& session, const AuditOptions& options) {
  TRY_ASSIGN(const auto list, session.api().get_all<AuditList>(
                                  path_of({"v1", "audit"}),
                                  {{"subject", options.subject}, {"since", options.since}}));
  session.show(list, [&] {
    Table table({"NUMBER", "TIME", "ACTOR", "ACTION", "SUBJECT", "CHANGE"});
    for (const AuditEntryDocument& entry : list.items)
      table.add({std::to_string(entry.number), entry.at, entry.actor, entry.action, entry.subject,
                 change_of(entry)});
    return table.text();
  });
  return {};
}

Result<AuditHeadDocument> parse_head(const std::string& text) {
  AuditHeadDocument head;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto read = std::from_chars(text.data(), text.data() + colon, head.number);
  if (colon < text.size() && colon > 0 && read.ec == std::errc() &&
      read.ptr == text.data() + colon) {
    head.hash = text.substr(colon + 1);
    return head;
  }
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("'{}' is not a valid head", text),
                                "Write NUMBER:HASH as granary audit --head prints it");
}

Result<void> check_log(Session& session, const AuditOptions& options) {
  Query query;
  if (!options.known.empty()) {
    TRY_ASSIGN(const AuditHeadDocument known, parse_head(options.known));
    query = {{"number", std::to_string(known.number)}, {"hash", known.hash}};
  }
  TRY_ASSIGN(const auto check,
             session.api().get<AuditCheckDocument>(with_query(path_to_check(), query)));
  if (check.problem)
    return base::fail_with_advice(
        Code::DataLoss, fmt::format("the audit log is not as it was written: {}", *check.problem),
        fmt::format("It holds up to entry {}; compare with a backup, and find out who could "
                    "write to the store",
                    check.entries));
  session.show(check, [&] {
    return fmt::format("{} entries, each as it was written{}; head {}\n", check.entries,
                       options.known.empty() ? "" : ", the known head among them",
                       head_text(check.head));
  });
  return {};
}

Result<void> show_head(Session& session) {
  TRY_ASSIGN(const auto check, session.api().get<AuditCheckDocument>(path_to_check()));
  if (check.problem)
    return base::fail_with_advice(
        Code::DataLoss, fmt::format("the audit log is not as it was written: {}", *check.problem),
        "See granary audit --check");
  session.show(check.head, [&] { return head_text(check.head) + "\n"; });
  return {};
}

Result<void> audit(Session& session, const AuditOptions& options) {
  const bool only_head = options.head->count() > 0 && options.known.empty() && !options.check;
  if (only_head) return show_head(session);
  if (options.check || !options.known.empty()) return check_log(session, options);
  return list_entries(session, options);
}

}  // namespace

void add_audit_command(CLI::App& program, Commands& commands) {
  CLI::App* command =
      add_verb(program, "audit", "who changed what, and whether that log is complete");
  command->group("Commands for a running platform");
  const auto options = std::make_shared<AuditOptions>();
  command->add_option("--subject", options->subject, "only of this, such as tenant/acme");
  command->add_option("--since", options->since, "only from then on: a time, or 24h for a day ago");
  command->add_flag("--check", options->check, "read all of it and say whether it holds");
  options->head =
      command
          ->add_option("--head", options->known,
                       "alone: print the log's end, to keep elsewhere; with NUMBER:HASH: check "
                       "that the log still holds that one")
          ->expected(0, 1);
  commands.on(command, [options](Session& session) { return audit(session, *options); });
}

}  // namespace granary::cli

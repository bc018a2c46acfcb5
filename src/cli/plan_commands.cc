#include "api/wire/platform_documents.h"
#include "cli/commands.h"
#include "cli/quantity.h"
#include "cli/tenant_finish.h"
#include "cli/text.h"

// granary plan ...
namespace granary::cli {

using api_wire::OperationDocument;
using api_wire::PlanDocument;
using api_wire::PlanLimitsDocument;
using api_wire::PlanList;
using api_wire::PutPlanDocument;
using base::Code;
using base::Result;

namespace {

// As they were typed; "none" takes a limit away.
struct LimitOptions {
  std::optional<std::string> memory;
  std::optional<std::string> cpu;
  std::optional<std::string> processes;
  std::optional<std::string> in_flight;
  std::optional<std::string> disk;
};

struct PlanOptions {
  std::string name;
  LimitOptions defaults;
  LimitOptions ceilings;
  std::optional<std::string> max_idle;
  std::optional<std::string> price;
  bool egress = false;
  bool no_egress = false;
  bool no_wait = false;
};

std::string path_to_plan(const std::string& name) { return path_of({"v1", "plans", name}); }

Result<std::uint32_t> parse_count(std::string_view text) {
  TRY_ASSIGN(const std::uint64_t number, parse_size(text));
  if (number <= std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(number);
  return base::fail(Code::InvalidArgument, "{} is too many", text);
}

// What was not typed stays.
template <class Number>
Result<void> change(std::optional<Number>& limit, const std::optional<std::string>& typed,
                    Result<Number> (*parse)(std::string_view)) {
  if (!typed) return {};
  limit.reset();
  if (*typed == "none") return {};
  TRY_ASSIGN(limit, parse(*typed));
  return {};
}

Result<void> change_limits(PlanLimitsDocument& limits, const LimitOptions& typed) {
  TRY(change(limits.memory_bytes, typed.memory, parse_size));
  TRY(change(limits.cpu_millis, typed.cpu, parse_cpu));
  TRY(change(limits.processes, typed.processes, parse_count));
  TRY(change(limits.in_flight, typed.in_flight, parse_count));
  return change(limits.disk_bytes, typed.disk, parse_size);
}

Result<std::uint64_t> parse_idle(std::string_view text) {
  TRY_ASSIGN(const std::chrono::milliseconds idle, base::parse_duration(text));
  return static_cast<std::uint64_t>(idle.count());
}

// The plan as it is, so that only what was typed changes; an empty one where there is none.
Result<PutPlanDocument> plan_now(Session& session, const std::string& name) {
  const auto plan = session.api().get<PlanDocument>(path_to_plan(name));
  if (!plan && plan.error().code == Code::NotFound)
    return PutPlanDocument{.defaults = PlanLimitsDocument(), .ceilings = PlanLimitsDocument()};
  if (!plan) return std::unexpected(plan.error());
  return PutPlanDocument{plan->defaults, plan->ceilings, plan->idle_ms, plan->egress, plan->price};
}

Result<void> set_plan(Session& session, const PlanOptions& options) {
  TRY_ASSIGN(PutPlanDocument wish, plan_now(session, options.name));
  TRY(change_limits(*wish.defaults, options.defaults));
  TRY(change_limits(*wish.ceilings, options.ceilings));
  TRY(change(wish.idle_ms, options.max_idle, parse_idle));
  if (options.egress || options.no_egress) wish.egress = options.egress;
  if (options.price) wish.price = *options.price == "none" ? "" : *options.price;
  TRY_ASSIGN(auto operation, session.api().send<OperationDocument>(
                                 http::verb::put, path_to_plan(options.name), wish));
  return finish_operation(session, std::move(operation), options.no_wait ? Wait::No : Wait::Yes,
                          fmt::format("plan {} is set", options.name));
}

// "default 256Mi, at most 1Gi".
template <class Number, class Print>
std::string range(const std::optional<Number>& fallback, const std::optional<Number>& ceiling,
                  Print print) {
  std::string text;
  if (fallback) text = "default " + print(*fallback);
  if (ceiling) text += (text.empty() ? "at most " : ", at most ") + print(*ceiling);
  return text;
}

// A plan that came with the product was set at no time.
std::string version_of(const PlanDocument& plan) {
  const bool built_in = plan.updated.starts_with("1970-01-01T");
  return fmt::format("{} ({})", plan.version, built_in ? "built in" : "set " + plan.updated);
}

std::string facts_of(const PlanDocument& plan) {
  const PlanLimitsDocument& low = plan.defaults;
  const PlanLimitsDocument& high = plan.ceilings;
  const auto number = [](std::uint32_t count) { return std::to_string(count); };
  Facts facts;
  facts.add("plan", plan.name);
  facts.add("memory", range(low.memory_bytes, high.memory_bytes, print_size));
  facts.add("cpu", range(low.cpu_millis, high.cpu_millis, print_cpu));
  facts.add("processes", range(low.processes, high.processes, number));
  facts.add("in flight", range(low.in_flight, high.in_flight, number));
  facts.add("disk", range(low.disk_bytes, high.disk_bytes, print_size));
  if (plan.idle_ms)
    facts.add("idle", "at most " + base::format_duration(std::chrono::milliseconds(
                                       static_cast<std::int64_t>(*plan.idle_ms))));
  facts.add("egress", plan.egress ? "as manifests say" : "none");
  facts.add("price", plan.price);
  facts.add("accounts", std::to_string(plan.accounts));
  facts.add("version", version_of(plan));
  return facts.text();
}

Result<void> list_plans(Session& session) {
  TRY_ASSIGN(const auto list, session.api().get<PlanList>(path_of({"v1", "plans"})));
  session.show(list, [&] {
    Table table({"PLAN", "ACCOUNTS", "MEMORY", "CPU", "DISK", "PRICE"});
    for (const PlanDocument& plan : list.items) {
      const PlanLimitsDocument& low = plan.defaults;
      const PlanLimitsDocument& high = plan.ceilings;
      table.add({plan.name, std::to_string(plan.accounts),
                 range(low.memory_bytes, high.memory_bytes, print_size),
                 range(low.cpu_millis, high.cpu_millis, print_cpu),
                 range(low.disk_bytes, high.disk_bytes, print_size), plan.price});
    }
    return table.text();
  });
  return {};
}

Result<void> show_plan(Session& session, const std::string& name) {
  TRY_ASSIGN(const auto plan, session.api().get<PlanDocument>(path_to_plan(name)));
  session.show(plan, [&] { return facts_of(plan); });
  return {};
}

Result<void> delete_plan(Session& session, const std::string& name) {
  TRY(session.api().remove(path_to_plan(name)));
  session.tell(fmt::format("plan {} is deleted", name));
  return {};
}

void add_limits(CLI::App& command, LimitOptions& options, const std::string& prefix,
                const std::string& which) {
  command.add_option(prefix + "memory", options.memory, which + " memory of a service: 256Mi");
  command.add_option(prefix + "cpu", options.cpu, which + " cores of a service: 0.5");
  command.add_option(prefix + "processes", options.processes, which + " processes of a service");
  command.add_option(prefix + "in-flight", options.in_flight, which + " requests at once");
  command.add_option(prefix + "disk", options.disk, which + " disk of an account: 10Gi");
}

void add_set(CLI::App& noun, Commands& commands) {
  CLI::App* set = add_verb(noun, "set", "make a plan or change it; what is left out stays");
  const auto options = std::make_shared<PlanOptions>();
  set->add_option("NAME", options->name)->required();
  add_limits(*set, options->defaults, "--", "default");
  add_limits(*set, options->ceilings, "--max-", "most");
  set->add_option("--max-idle", options->max_idle,
                  "longest that a service stays awake without a request: 5m");
  CLI::Option* egress = set->add_flag("--egress", options->egress, "let manifests have a way out");
  set->add_flag("--no-egress", options->no_egress, "no way out, whatever a manifest says")
      ->excludes(egress);
  set->add_option("--price", options->price, "of one account and month: \"49.00 EUR\"");
  set->add_flag("--no-wait", options->no_wait, "do not wait until its accounts have it");
  set->footer("A value of none takes a limit away.");
  commands.on(set, [options](Session& session) { return set_plan(session, *options); });
}

}  // namespace

void add_plan_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "plan", "what accounts get, and what they get at most");
  commands.on(add_verb(*noun, "list", "all plans"), list_plans);
  CLI::App* show = add_verb(*noun, "show", "one plan");
  const auto name = std::make_shared<std::string>();
  show->add_option("NAME", *name)->required();
  commands.on(show, [name](Session& session) { return show_plan(session, *name); });
  add_set(*noun, commands);
  CLI::App* remove = add_verb(*noun, "delete", "remove a plan that no tenant has");
  const auto gone = std::make_shared<std::string>();
  remove->add_option("NAME", *gone)->required();
  commands.on(remove, [gone](Session& session) { return delete_plan(session, *gone); });
}

}  // namespace granary::cli

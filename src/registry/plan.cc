#include "registry/plan.h"

#include "base/ids.h"

namespace granary::registry {
namespace {

using base::Code;
using base::Result;
using base::WallTime;
using base::json::object;
using store::Row;
using store::Transaction;

constexpr std::size_t kMaxSpec = 64U << 10;
constexpr std::uint64_t kSmallestMemory = 4ULL << 20;
constexpr std::uint64_t kSmallestDisk = 16ULL << 20;
constexpr std::uint64_t kLargestBytes = 1ULL << 50;
constexpr std::uint32_t kLargestCount = 1'000'000;
constexpr std::int64_t kLongestIdle = 366LL * 24 * 3600 * 1000;

template <class Number>
Result<void> read_limit(const object& from, std::string_view name, std::uint64_t least,
                        std::uint64_t most, std::optional<Number>& into) {
  if (!from.contains(name)) return {};
  TRY_ASSIGN(const std::int64_t value, base::json::get_int(from, name));
  if (value < static_cast<std::int64_t>(least) || value > static_cast<std::int64_t>(most))
    return base::fail(Code::InvalidArgument, "member '{}' must be from {} to {}", name, least,
                      most);
  into = static_cast<Number>(value);
  return {};
}

Result<void> refuse_unknown(const object& document, std::initializer_list<std::string_view> known,
                            std::string_view where) {
  for (const auto& member : document) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end())
      return base::fail_with_advice(
          Code::InvalidArgument,
          fmt::format("{} has no member '{}'", where, std::string_view(member.key())),
          fmt::format("It has {}", fmt::join(known, ", ")));
  }
  return {};
}

Result<PlanLimits> limits_from(const object& plan, std::string_view name) {
  PlanLimits limits;
  const object* document = base::json::find_object(plan, name);
  if (document == nullptr && plan.contains(name))
    return base::fail(Code::InvalidArgument, "member '{}' must be an object", name);
  if (document == nullptr) return limits;
  TRY(refuse_unknown(*document,
                     {"memory_bytes", "cpu_millis", "processes", "in_flight", "disk_bytes"}, name));
  TRY(read_limit(*document, "memory_bytes", kSmallestMemory, kLargestBytes, limits.memory_bytes));
  TRY(read_limit(*document, "cpu_millis", 1, kLargestCount, limits.cpu_millis));
  TRY(read_limit(*document, "processes", 1, kLargestCount, limits.processes));
  TRY(read_limit(*document, "in_flight", 1, kLargestCount, limits.in_flight));
  TRY(read_limit(*document, "disk_bytes", kSmallestDisk, kLargestBytes, limits.disk_bytes));
  return limits;
}

object limits_document(const PlanLimits& limits) {
  object document;
  if (limits.memory_bytes) document["memory_bytes"] = *limits.memory_bytes;
  if (limits.cpu_millis) document["cpu_millis"] = *limits.cpu_millis;
  if (limits.processes) document["processes"] = *limits.processes;
  if (limits.in_flight) document["in_flight"] = *limits.in_flight;
  if (limits.disk_bytes) document["disk_bytes"] = *limits.disk_bytes;
  return document;
}

// "49 EUR", "49.00 EUR".
bool is_price(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space > 16) return false;  // also where there is none
  const std::string_view amount = text.substr(0, space);
  const std::string_view currency = text.substr(space + 1);
  const std::size_t point = amount.find('.');
  const std::string_view whole = amount.substr(0, point);
  const std::string_view part = point == amount.npos ? "0" : amount.substr(point + 1);
  const auto digits = [](std::string_view s) {
    return !s.empty() && s.find_first_not_of("0123456789") == s.npos;
  };
  const auto letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  return digits(whole) && digits(part) && part.size() <= 4 && currency.size() == 3 &&
         std::ranges::all_of(currency, letter);
}

template <class Number>
Result<void> check_order(const std::optional<Number>& fallback,
                         const std::optional<Number>& ceiling, std::string_view name) {
  if (!fallback || !ceiling || *fallback <= *ceiling) return {};
  return base::fail(Code::InvalidArgument, "the default {} is above its ceiling", name);
}

Result<void> check_limits(const Plan& plan) {
  TRY(check_order(plan.defaults.memory_bytes, plan.ceilings.memory_bytes, "memory_bytes"));
  TRY(check_order(plan.defaults.cpu_millis, plan.ceilings.cpu_millis, "cpu_millis"));
  TRY(check_order(plan.defaults.processes, plan.ceilings.processes, "processes"));
  TRY(check_order(plan.defaults.in_flight, plan.ceilings.in_flight, "in_flight"));
  return check_order(plan.defaults.disk_bytes, plan.ceilings.disk_bytes, "disk_bytes");
}

Result<Plan> from_row(const Row& row) {
  TRY_ASSIGN(const object document, base::json::parse_object(row.text(1), kMaxSpec));
  TRY_ASSIGN(Plan plan, plan_from(document));
  plan.name = row.text(0);
  plan.version = static_cast<std::uint64_t>(row.integer(2));
  plan.updated = WallTime(std::chrono::microseconds(row.integer(3)));
  return plan;
}

}  // namespace

object to_json(const Plan& plan) {
  object document;
  document["defaults"] = limits_document(plan.defaults);
  document["ceilings"] = limits_document(plan.ceilings);
  if (plan.idle) document["idle_ms"] = plan.idle->count();
  document["egress"] = plan.egress;
  if (!plan.price.empty()) document["price"] = plan.price;
  return document;
}

Result<Plan> plan_from(const object& document) {
  TRY(refuse_unknown(document, {"defaults", "ceilings", "idle_ms", "egress", "price"}, "a plan"));
  Plan plan;
  TRY_ASSIGN(plan.defaults, limits_from(document, "defaults"));
  TRY_ASSIGN(plan.ceilings, limits_from(document, "ceilings"));
  TRY(check_limits(plan));
  std::optional<std::int64_t> idle;
  TRY(read_limit(document, "idle_ms", 1, kLongestIdle, idle));
  if (idle) plan.idle = std::chrono::milliseconds(*idle);
  if (const auto* egress = document.if_contains("egress")) {
    if (!egress->is_bool())
      return base::fail(Code::InvalidArgument, "member 'egress' must be true or false");
    plan.egress = egress->get_bool();
  }
  TRY_ASSIGN(plan.price, base::json::get_string_or(document, "price", ""));
  if (!plan.price.empty() && !is_price(plan.price))
    return base::fail_with_advice(Code::InvalidArgument,
                                  "member 'price' must be an amount and a currency",
                                  "Write it as 49.00 EUR");
  return plan;
}

Result<Plan> put_plan(Transaction& tx, Plan plan, WallTime now) {
  TRY_ASSIGN(plan.name, base::parse_slug(plan.name, "plan's name"));
  const std::string spec = base::json::print(to_json(plan));
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT spec, version FROM plan WHERE name = :1", {plan.name}));
  const bool equal = !rows.empty() && rows.front().text(0) == spec;
  if (equal) return get_plan(tx, plan.name);
  plan.version = rows.empty() ? 1 : static_cast<std::uint64_t>(rows.front().integer(1)) + 1;
  plan.updated = now;
  TRY(
      tx.exec("INSERT INTO plan (name, spec, version, updated) VALUES (:1, :2, :3, :4) "
              "ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, version = excluded.version, "
              "updated = excluded.updated",
              {plan.name, spec, static_cast<std::int64_t>(plan.version),
               std::int64_t{now.time_since_epoch().count()}}));
  return plan;
}

Result<Plan> get_plan(Transaction& tx, const std::string& name) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT name, spec, version, updated FROM plan WHERE name = :1", {name}));
  if (!rows.empty()) return from_row(rows.front());
  TRY_ASSIGN(const auto others, list_plans(tx));
  std::vector<std::string> names;
  for (const Plan& plan : others) names.push_back(plan.name);
  return base::fail_with_advice(
      Code::NotFound, fmt::format("there is no plan '{}'", name),
      fmt::format("There is {}; make one with granary plan set", fmt::join(names, ", ")));
}

Result<std::vector<Plan>> list_plans(Transaction& tx) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT name, spec, version, updated FROM plan ORDER BY name LIMIT 1000"));
  std::vector<Plan> plans;
  for (const Row& row : rows) {
    TRY_ASSIGN(Plan plan, from_row(row));
    plans.push_back(std::move(plan));
  }
  return plans;
}

Result<std::map<std::string, std::int64_t>> count_by_plan(Transaction& tx) {
  TRY_ASSIGN(const auto rows, tx.exec("SELECT plan, count(*) FROM account GROUP BY plan"));
  std::map<std::string, std::int64_t> counts;
  for (const Row& row : rows) counts[row.text(0)] = row.integer(1);
  return counts;
}

Result<void> remove_plan(Transaction& tx, const std::string& name) {
  if (name == kStandardPlan)
    return base::fail(Code::Conflict, "the standard plan stays: tenants get it when none is named");
  TRY(get_plan(tx, name));
  TRY_ASSIGN(const auto users, tx.exec("SELECT count(*) FROM account WHERE plan = :1", {name}));
  const std::int64_t count = users.front().integer(0);
  if (count > 0)
    return base::fail_with_advice(
        Code::Conflict,
        fmt::format("{} the plan '{}'",
                    count == 1 ? "1 account has" : fmt::format("{} accounts have", count), name),
        "Give them another one first: granary tenant update T --plan P");
  TRY(tx.exec("DELETE FROM plan WHERE name = :1", {name}));
  return {};
}

}  // namespace granary::registry

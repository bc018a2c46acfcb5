#include "base/text.h"
#include "lifecycle/desired.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/limits.h"
#include "lifecycle/subjects.h"
#include "registry/audit.h"

// What callers ask for of plans and secrets: the row changes at once, an operation brings it to the
// accounts.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using base::json::object;
using operation::Operation;
using registry::Account;
using store::Transaction;

namespace {

Result<void> put_audited(Transaction& tx, const registry::Plan& plan, const std::string& actor,
                         base::WallTime now) {
  object before;
  if (const auto earlier = registry::get_plan(tx, plan.name)) before = registry::to_json(*earlier);
  TRY(registry::put_plan(tx, plan, now));
  TRY(registry::append_audit(
      tx, {actor, "plan.set", "plan/" + plan.name, std::move(before), registry::to_json(plan)},
      now));
  return {};
}

Result<void> check_value(const std::string& value) {
  if (!value.empty() && value.size() <= kMaxSecretValue && base::is_utf8(value) &&
      value.find('\0') == std::string::npos)
    return {};
  return base::fail_with_advice(
      Code::InvalidArgument,
      fmt::format("a secret's value is 1 to {} bytes of UTF-8 without NUL", kMaxSecretValue),
      "Encode binary values, in base64 for instance");
}

std::string secret_subject(const AccountId& account, const std::string& name) {
  return account.empty() ? "secret/" + name : fmt::format("secret/{}/{}", account.value, name);
}

}  // namespace

Task<Result<Operation>> Lifecycle::put_plan(registry::Plan plan, Caller caller) {
  CO_TRY(base::parse_slug(plan.name, "plan's name"));
  object input;
  input["plan"] = plan.name;
  const std::string subject = "plan/" + plan.name;
  auto record = [plan = std::move(plan), actor = caller.actor, now = parts_.clock.wall()](
                    Transaction& tx) { return put_audited(tx, plan, actor, now); };
  co_return co_await start("plan.apply", subject, std::move(input), std::move(record),
                           std::move(caller));
}

Task<Result<void>> Lifecycle::remove_plan(std::string name, Caller caller) {
  co_return co_await parts_.store.write(
      [&, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
        TRY_ASSIGN(const registry::Plan plan, registry::get_plan(tx, name));
        TRY(registry::remove_plan(tx, name));
        TRY(registry::append_audit(
            tx, {caller.actor, "plan.remove", "plan/" + name, registry::to_json(plan), {}}, now));
        return {};
      });
}

// The value is sealed here and goes nowhere else: not into an operation, an entry or a log.
Task<Result<Operation>> Lifecycle::set_secret(SetSecret request, Caller caller) {
  CO_TRY_ASSIGN(const std::string name, registry::parse_secret_name(request.name));
  CO_TRY(check_value(request.value));
  const base::WallTime now = parts_.clock.wall();
  registry::Secret secret{.account = request.account,
                          .name = name,
                          .sealed = base::to_base64(parts_.sealing_key.seal(
                              request.value, secret_context(request.account, name))),
                          .actor = caller.actor,
                          .updated = now};
  base::wipe(request.value);
  auto record = [secret = std::move(secret), now](Transaction& tx) -> Result<void> {
    TRY(registry::put_secret(tx, secret));
    const object changed{{"value", "set"}};
    TRY(registry::append_audit(
        tx, {secret.actor, "secret.set", secret_subject(secret.account, secret.name), {}, changed},
        now));
    if (!secret.account.empty()) TRY(registry::touch(tx, secret.account, now));
    return {};
  };
  object input;
  input["secret"] = name;
  if (!request.account.empty())
    co_return co_await change("tenant.apply", request.account, std::move(input), std::move(record),
                              std::move(caller));
  co_return co_await start("secret.apply", "secret/" + name, std::move(input), std::move(record),
                           std::move(caller));
}

Task<Result<Operation>> Lifecycle::unset_secret(AccountId account, std::string name,
                                                Caller caller) {
  CO_TRY_ASSIGN(name, registry::parse_secret_name(name));
  auto record = [account, name, actor = caller.actor,
                 now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY(registry::remove_secret(tx, account, name));
    TRY(registry::append_audit(tx, {actor, "secret.unset", secret_subject(account, name), {}, {}},
                               now));
    if (!account.empty()) TRY(registry::touch(tx, account, now));
    return {};
  };
  object input;
  input["secret"] = name;
  if (!account.empty())
    co_return co_await change("tenant.apply", account, std::move(input), std::move(record),
                              std::move(caller));
  co_return co_await start("secret.apply", "secret/" + name, std::move(input), std::move(record),
                           std::move(caller));
}

}  // namespace granary::lifecycle

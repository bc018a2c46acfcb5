#include "lifecycle/subjects.h"

#include "lifecycle/limits.h"
#include "registry/audit.h"
#include "registry/release_row.h"

namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::WallTime;
using base::json::object;
using registry::Account;
using registry::State;
using store::Transaction;

Result<void> check_free(const Account& account) {
  if (account.state != State::Offboarding && account.state != State::Restoring) return {};
  return base::fail_with_advice(
      Code::Conflict,
      fmt::format("'{}' is {}", account.id.value, registry::to_string(account.state)),
      registry::way_on(account.id, account.state));
}

Result<void> check_pin(const Account& account, base::WallTime now) {
  if (!registry::is_pinned(account, now)) return {};
  const std::string until =
      account.pinned_until ? " until " + base::to_rfc3339(*account.pinned_until) : "";
  return base::fail_with_advice(
      Code::Conflict, fmt::format("'{}' is pinned to its release{}", account.id.value, until),
      fmt::format("Let it go first: granary tenant unpin {}", account.id.value));
}

Result<std::string> public_name(const std::string& name, const AccountId& id) {
  if (name.size() > kMaxPublicName)
    return base::fail(Code::InvalidArgument, "the public name has more than {} bytes",
                      kMaxPublicName);
  return name.empty() ? id.value : name;
}

Result<operation::Operation> same_request(const operation::Operation& earlier,
                                          std::string_view kind, const AccountId& id) {
  if (earlier.kind == kind && earlier.subject == subject_of(id)) return earlier;
  return base::fail(Code::Conflict, "the idempotency key was used for {} of {}", earlier.kind,
                    earlier.subject);
}

Result<object> audited(Transaction& tx, const AccountId& id) {
  const auto account = registry::get(tx, id);
  if (account) {
    object document = registry::audit_document(*account);
    const auto release = registry::get_release_by_hash(tx, account->desired_release);
    if (release) document["release"] = release->id.value;
    return document;
  }
  if (account.error().code == Code::NotFound) return object();
  return std::unexpected(account.error());
}

Result<void> with_audit(Transaction& tx, const AccountId& id, const AuditHead& head, WallTime now,
                        const store::Work& work) {
  TRY_ASSIGN(object before, audited(tx, id));
  if (work) TRY(work(tx));
  TRY_ASSIGN(object after, audited(tx, id));
  if (!head.asked.empty()) after["asked"] = head.asked;
  TRY(registry::append_audit(
      tx, {head.actor, head.action, subject_of(id), std::move(before), std::move(after)}, now));
  return {};
}

Result<void> make_active(Transaction& tx, const AccountId& id, WallTime now) {
  TRY_ASSIGN(const Account account, registry::get(tx, id));
  if (account.state == State::Failed) TRY(registry::set_state(tx, id, State::Creating, now));
  const bool making = account.state == State::Failed || account.state == State::Creating ||
                      account.state == State::Restoring;
  if (making) TRY(registry::set_state(tx, id, State::Active, now));
  return {};
}

}  // namespace granary::lifecycle

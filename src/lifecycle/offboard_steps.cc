#include "base/amount.h"
#include "lifecycle/limits.h"
#include "lifecycle/steps.h"
#include "lifecycle/subjects.h"
#include "registry/audit.h"

// Offboarding: what is kept for a while, what is destroyed, and the certificate that says so.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using base::json::array;
using base::json::object;
using operation::Operation;
using operation::Outcome;
using registry::Account;
using store::Transaction;

namespace {

// In the scratch: the account's version when it was closed.
constexpr const char* kClosedVersion = "closed_version";

base::WallTime retained_until(const Operation& operation) {
  return base::WallTime(std::chrono::microseconds(
      base::json::get_int_or(operation.input, "retain_until", 0).value_or(0)));
}

Outcome said(std::string detail) {
  return {.commit = {}, .scratch = {}, .detail = std::move(detail), .not_before = {}};
}

object item(std::string_view what) {
  object document;
  document["what"] = what;
  return document;
}

// What of this account exists in rows, by its kind; secrets by their names.
Result<object> rows_of(Transaction& tx, const Account& account) {
  object rows;
  TRY_ASSIGN(const auto secrets, registry::secrets_of(tx, account.id));
  array names;
  for (const auto& secret : secrets) {
    if (!secret.account.empty()) names.emplace_back(secret.name);
  }
  rows["secrets"] = std::move(names);
  rows["domains"] = base::json::from_strings(account.domains);
  rows["settings"] = account.settings.size();
  rows["labels"] = account.labels.size();
  rows["ways_to_be_found"] = account.discovery.size();
  return rows;
}

object disk_item(const object& found) {
  object disk = item("disk");
  for (const char* name : {"used_bytes", "quota_bytes", "encryption", "isolation"}) {
    if (const auto* value = found.if_contains(name)) disk[name] = *value;
  }
  const auto* encryption = found.if_contains("encryption");
  const bool encrypted = encryption != nullptr && *encryption != "none" && *encryption != "";
  disk["key"] = encrypted ? "overwritten and removed before the disk" : "none";
  return disk;
}

object archive_item(const registry::Archive& archive) {
  object document = item("archive");
  document["id"] = archive.id;
  document["kind"] = registry::to_string(archive.kind);
  document["sha256"] = archive.sha256;
  document["bytes"] = archive.bytes;
  return document;
}

object certificate_text(const Operation& operation, const std::string& installation,
                        const std::vector<registry::Archive>& archives, base::WallTime now) {
  static const object kNothing;
  const object* scratch = base::json::find_object(operation.scratch, "found");
  const object& found = scratch == nullptr ? kNothing : *scratch;
  object text;
  text["type"] = "granary destruction certificate";
  text["version"] = 1;
  text["installation"] = installation;
  text["tenant"] = account_of(operation).value;
  for (const char* name : {"name", "ordinal", "cloud", "created"}) {
    if (const auto* value = found.if_contains(name)) text[name] = *value;
  }
  text["operation"] = operation.id.value;
  text["asked_by"] = operation.actor;
  text["asked_at"] = base::to_rfc3339(operation.created);
  text["retained_until"] = base::to_rfc3339(retained_until(operation));
  text["destroyed_at"] = base::to_rfc3339(now);
  array destroyed;
  if (found.contains("isolation")) destroyed.emplace_back(disk_item(found));
  if (found.contains("isolation")) destroyed.emplace_back(item("logs of its services"));
  for (const auto& archive : archives) destroyed.emplace_back(archive_item(archive));
  object rows = item("rows of the registry");
  if (const object* of_account = base::json::find_object(found, "rows")) {
    for (const auto& member : *of_account) rows[member.key()] = member.value();
  }
  destroyed.emplace_back(std::move(rows));
  text["destroyed"] = std::move(destroyed);
  text["kept"] =
      array{"entries of the audit log", "operations and their history", "this certificate"};
  return text;
}

// A final export that failed keeps nobody: what can be done then stands in the error.
base::Failure with_ways_out(const Operation& operation, base::Error error) {
  if (!error.advice.empty()) error.advice += ". ";
  error.advice += fmt::format(
      "Nothing is lost: go on with granary operation retry {}, or keep the tenant with granary "
      "tenant resume {}",
      operation.id.value, account_of(operation).value);
  return base::Failure(std::move(error));
}

// One that has failed and is retried goes on only if the tenant is as it was then: what was resumed
// since is somebody's, and its data another than what was exported.
Result<void> go_on_leaving(Transaction& tx, const Operation& operation, base::WallTime now) {
  const auto account = registry::get(tx, account_of(operation));
  if (!account && account.error().code == Code::NotFound) return {};
  if (!account) return std::unexpected(account.error());
  if (account->state == registry::State::Offboarding) return {};
  const auto closed = base::json::get_int_or(operation.scratch, kClosedVersion, -1).value_or(-1);
  if (account->state == registry::State::Suspended &&
      static_cast<std::int64_t>(account->version) == closed) {
    TRY(registry::set_state(tx, account->id, registry::State::Offboarding, now));
    return {};
  }
  return base::fail_with_advice(
      Code::Conflict,
      fmt::format("'{}' is {}, and was changed since this offboarding ended", account->id.value,
                  registry::to_string(account->state)),
      "Begin another: granary tenant offboard " + account->id.value);
}

}  // namespace

Lifecycle::Steps::Step Lifecycle::Steps::leaving(Operation operation, Run run) {
  const auto account = co_await whole.get(account_of(operation));
  if (!account && account.error().code != Code::NotFound)
    co_return std::unexpected(account.error());
  // It is leaving from the first step on: there is something to write only for one that was left
  // and goes on.
  if (account && account->state != registry::State::Offboarding)
    CO_TRY(co_await parts.store.write([&, now = parts.clock.wall()](Transaction& tx) {
      return go_on_leaving(tx, operation, now);
    }));
  co_return co_await (this->*run)(std::move(operation));
}

// Its services stop. What was never made is not made for this.
Lifecycle::Steps::Step Lifecycle::Steps::close_account(Operation operation) {
  CO_TRY_ASSIGN(Outcome outcome, co_await close_made(operation));
  CO_TRY_ASSIGN(const Account account, co_await whole.get(account_of(operation)));
  outcome.scratch[kClosedVersion] = account.version;
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::close_made(Operation operation) {
  const auto actual = co_await whole.inspect(account_of(operation));
  if (!actual && actual.error().code == Code::NotFound)
    co_return said("its cloud has no account of it");
  if (!actual) co_return std::unexpected(actual.error());
  co_return co_await converge(std::move(operation));
}

Lifecycle::Steps::Step Lifecycle::Steps::final_export(Operation operation) {
  const AccountId id = account_of(operation);
  const auto* wanted = operation.input.if_contains("final_export");
  if (wanted != nullptr && wanted->is_bool() && !wanted->get_bool())
    co_return said("no final export was asked for");
  if (retained_until(operation) <= parts.clock.wall())
    co_return said("nothing is retained, so there is no final export");
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await whole.cloud_of(id));
  auto data = co_await driver->export_data(id, operation.id.value);
  if (!data && data.error().code == Code::NotFound)
    co_return said("the account was never made: there is nothing to export");
  if (!data) co_return with_ways_out(operation, data.error());
  Outcome outcome = said(text_of(*data));
  outcome.scratch["data"] = to_json(*data);
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::final_pack(Operation operation) {
  if (!operation.scratch.contains("data")) co_return said("there is no final export");
  // Removed with the account; the time is only for the case that nothing ever removes it.
  const base::WallTime expires = retained_until(operation) + kFinalOutlives;
  co_return co_await pack_as(std::move(operation), registry::ArchiveKind::Final, expires);
}

Lifecycle::Steps::Step Lifecycle::Steps::retain(Operation operation) {
  Outcome outcome;
  outcome.not_before = retained_until(operation);
  outcome.detail = "data is kept until " + base::to_rfc3339(*outcome.not_before);
  co_return outcome;
}

// Written down before anything goes: after a crash nobody could say what had been there.
Lifecycle::Steps::Step Lifecycle::Steps::inspect(Operation operation) {
  const AccountId id = account_of(operation);
  object found;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    found["name"] = account.name;
    found["ordinal"] = account.ordinal;
    found["cloud"] = account.cloud;
    found["created"] = base::to_rfc3339(account.created);
    TRY_ASSIGN(found["rows"], rows_of(tx, account));
    return {};
  }));
  const auto actual = co_await whole.inspect(id);
  if (!actual && actual.error().code != Code::NotFound) co_return std::unexpected(actual.error());
  if (actual) {
    found["isolation"] = actual->isolation;
    found["encryption"] = actual->encryption;
    found["used_bytes"] = actual->disk_used_bytes;
    found["quota_bytes"] = actual->disk_quota_bytes;
  }
  Outcome outcome = said(
      actual ? fmt::format("its disk has {} in use", base::human_bytes(actual->disk_used_bytes))
             : "its cloud has no account of it");
  outcome.scratch["found"] = std::move(found);
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::destroy(Operation operation) {
  const AccountId id = account_of(operation);
  std::vector<registry::Archive> archives;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(archives, registry::archives_of(tx, id));
    return {};
  }));
  for (const auto& archive : archives)
    CO_TRY(co_await whole.check_unused(archive.id, operation.id));
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await whole.cloud_of(id));
  CO_TRY(co_await driver->destroy(id));
  for (const auto& archive : archives) CO_TRY(co_await parts.archives.remove(archive.id));
  const base::WallTime now = parts.clock.wall();
  const object text = certificate_text(operation, parts.signing_key.id(), archives, now);
  registry::Certificate certificate{
      .operation = operation.id.value,
      .account = id,
      .envelope = base::seal(parts.signing_key, kCertificateType, base::json::print(text)),
      .created = now};
  Outcome outcome = said("account and data are destroyed");
  object result;
  result["certificate"] = operation.id.value;
  if (const object* exported = base::json::find_object(operation.scratch, "data")) {
    if (const auto* left_out = exported->if_contains("left_out")) result["left_out"] = *left_out;
  }
  outcome.result = std::move(result);
  outcome.commit = [id, certificate, archives, actor = actor_of(operation),
                    now](Transaction& tx) -> Result<void> {
    for (const auto& archive : archives) TRY(registry::remove_archive(tx, archive.id));
    TRY(registry::put_certificate(tx, certificate));
    return with_audit(tx, id, {actor, "tenant.destroyed", {}}, now,
                      [id](Transaction& inside) { return registry::remove(inside, id); });
  };
  co_return outcome;
}

}  // namespace granary::lifecycle

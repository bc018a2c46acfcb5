#include <algorithm>

#include "lifecycle/lifecycle.h"
#include "lifecycle/limits.h"
#include "lifecycle/subjects.h"
#include "registry/audit.h"

// What callers ask for of archives: making them, restoring from them, and removing them in time.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using base::json::object;
using operation::Operation;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

std::map<std::string, std::string> texts_of(const object& configuration, const char* name) {
  std::map<std::string, std::string> texts;
  const object* members = base::json::find_object(configuration, name);
  if (members == nullptr) return texts;
  for (const auto& member : *members) {
    if (member.value().is_string()) texts[member.key()] = std::string(member.value().get_string());
  }
  return texts;
}

// A new tenant as the archive has it, but for what another tenant has here by now.
Result<Account> account_from(Transaction& tx, const AccountId& id, const ArchiveHead& head) {
  const object& from = head.configuration;
  Account account;
  account.id = id;
  TRY_ASSIGN(const std::string given, base::json::get_string_or(from, "name", ""));
  TRY_ASSIGN(account.name, public_name(given, id));
  TRY_ASSIGN(account.plan, base::json::get_string_or(from, "plan", registry::kStandardPlan));
  if (!registry::get_plan(tx, account.plan)) account.plan = registry::kStandardPlan;
  account.labels = texts_of(from, "labels");
  for (const auto& [name, value] : account.labels) TRY(registry::check_label(name, value));
  account.settings = texts_of(from, "settings");
  if (from.contains("domains")) {
    TRY_ASSIGN(const auto domains, base::json::get_strings(from, "domains"));
    for (const std::string& domain : domains) {
      TRY_ASSIGN(const std::string good, registry::parse_domain(domain));
      TRY_ASSIGN(const auto owner, registry::find_by_domain(tx, good));
      if (!owner) account.domains.push_back(good);
    }
  }
  if (from.contains("discovery")) {
    TRY_ASSIGN(const auto keys, base::json::get_strings(from, "discovery"));
    for (const std::string& key : keys) {
      TRY_ASSIGN(const std::string good, registry::parse_discovery_key(key));
      TRY_ASSIGN(const auto owner, registry::find_by_discovery(tx, good));
      if (!owner) account.discovery.push_back(good);
    }
  }
  account.state = State::Restoring;
  account.version = 1;
  return account;
}

// The hash of what a new tenant is to run in place of the archive's release. Of another app it is
// refused: data of one app under another is what nobody means.
Result<std::string> release_for(Transaction& tx, const AccountId& id, const ArchiveHead& head,
                                const std::string& name) {
  // Of a release that is not here, nobody knows the app.
  const auto had = registry::get_release_by_hash(tx, head.release_hash);
  TRY_ASSIGN(const auto release, registry::get_release(tx, name, had ? had->app : ""));
  if (!had || had->app == release.app) return release.hash;
  return base::fail_with_advice(
      Code::Conflict,
      fmt::format("the archive is of the app {}; {} is a release of {}", had->app, release.id.value,
                  release.app),
      fmt::format("Restore it to a release of {}; if {} is meant to take over the data, then: "
                  "granary tenant update {} --release {} --change-app",
                  had->app, release.app, id.value, release.id.value));
}

// One that has failed has no account to put data into: it makes place for a new one.
base::Failure has_failed(const AccountId& id, Code code) {
  return base::fail_with_advice(
      code, fmt::format("there is a tenant '{}' already: it has failed", id.value),
      fmt::format("Remove it, then restore again: granary tenant offboard {} --retain 0s",
                  id.value));
}

base::Failure name_in_use(const Account& present) {
  if (present.state == State::Failed) return has_failed(present.id, Code::AlreadyExists);
  return base::fail_with_advice(Code::AlreadyExists,
                                fmt::format("there is a tenant '{}' already", present.id.value),
                                "Choose another name, or replace its data with --replace");
}

Result<void> close_for_restore(Transaction& tx, const AccountId& id, State was,
                               base::WallTime now) {
  TRY_ASSIGN(const Account account, registry::get(tx, id));
  TRY(check_free(account));
  if (account.state == State::Failed) return has_failed(id, Code::Conflict);
  if (account.state != was)
    return base::fail(Code::Conflict, "'{}' has just become {}", id.value,
                      registry::to_string(account.state));
  TRY(registry::set_state(tx, id, State::Restoring, now));
  return {};
}

base::Failure unknown_archive(const std::string& id) {
  return base::fail_with_advice(Code::NotFound, fmt::format("there is no archive {}", id),
                                "See granary archive list");
}

bool names_archive(const Operation& operation, const std::string& archive) {
  return operation.id.value == archive ||
         base::json::get_string_or(operation.input, "archive", "").value_or("") == archive;
}

}  // namespace

Task<Result<Operation>> Lifecycle::export_tenant(Export request, Caller caller) {
  if (request.keep.count() <= 0 || request.keep > kLongestKeep)
    co_return base::fail(Code::InvalidArgument, "an archive is kept for up to a year");
  auto record = [id = request.id](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    if (account.state == State::Active || account.state == State::Suspended) return {};
    return base::fail_with_advice(
        Code::Conflict,
        fmt::format("'{}' is {}; only what is active or suspended can be exported", id.value,
                    registry::to_string(account.state)),
        registry::way_on(id, account.state));
  };
  object input;
  input["keep_us"] = std::chrono::microseconds(request.keep).count();
  co_return co_await change("tenant.export", request.id, std::move(input), std::move(record),
                            std::move(caller));
}

Task<Result<Operation>> Lifecycle::restore(Restore request, Caller caller) {
  const AccountId id = request.id;
  CO_TRY(base::parse_slug(id.value, "tenant name"));
  CO_TRY_ASSIGN(const auto earlier, co_await asked_before(caller));
  if (earlier) co_return same_request(*earlier, "tenant.restore", id);
  object input;
  input["archive"] = request.archive;
  State was = State::Active;
  const bool replaces = request.into == Restore::Into::ExistingTenant;
  if (replaces) {
    CO_TRY_ASSIGN(const Account account, co_await get(id));
    was = account.state;
    input["was"] = registry::to_string(was);
  }
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto archive, registry::find_archive(tx, request.archive));
    if (!archive) return unknown_archive(request.archive);
    return {};
  }));
  CO_TRY_ASSIGN(const ArchiveHead head, co_await parts_.archives.head(request.archive));
  if (request.release) {
    CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
      TRY_ASSIGN(input["release"], release_for(tx, id, head, *request.release));
      return {};
    }));
  }
  auto record = [id, head, was, replaces,
                 now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    if (replaces) return close_for_restore(tx, id, was, now);
    if (const auto present = registry::get(tx, id)) return name_in_use(*present);
    TRY_ASSIGN(Account account, account_from(tx, id, head));
    account.created = account.updated = now;
    TRY(registry::insert(tx, account));
    return {};
  };
  co_return co_await change("tenant.restore", id, std::move(input), std::move(record),
                            std::move(caller));
}

Task<Result<registry::Archive>> Lifecycle::take_archive(std::string id, ArchiveFile file,
                                                        ArchiveHead head, Caller caller) {
  const base::WallTime now = parts_.clock.wall();
  const registry::Archive archive{.id = std::move(id),
                                  .account = AccountId(head.tenant),
                                  .kind = registry::ArchiveKind::Upload,
                                  .bytes = file.bytes,
                                  .sha256 = file.sha256,
                                  .created = now,
                                  .expires = now + kKeepUpload};
  object after;
  after["sha256"] = archive.sha256;
  after["tenant"] = head.tenant;
  const registry::AuditChange entry{.actor = caller.actor,
                                    .action = "archive.create",
                                    .subject = "archive/" + archive.id,
                                    .before = {},
                                    .after = std::move(after)};
  CO_TRY(co_await parts_.store.write([&](Transaction& tx) -> Result<void> {
    TRY(registry::put_archive(tx, archive));
    TRY(registry::append_audit(tx, entry, now));
    return {};
  }));
  co_return archive;
}

Task<Result<void>> Lifecycle::check_unused(std::string archive, base::OperationId except) {
  CO_TRY_ASSIGN(const bool in_use, co_await archive_in_use(archive, std::move(except)));
  if (in_use)
    co_return base::fail(Code::Unavailable, "the archive {} is being used by another operation",
                         archive);
  co_return Result<void>();
}

Task<Result<bool>> Lifecycle::archive_in_use(std::string id, base::OperationId except) {
  for (const operation::State state :
       {operation::State::Queued, operation::State::Running, operation::State::Waiting}) {
    operation::Engine::Filter filter{.subject = {}, .kind = {}, .state = state, .limit = 1000};
    for (bool more = true; more;) {
      CO_TRY_ASSIGN(const auto page, co_await parts_.engine.list(filter));
      for (const Operation& operation : page) {
        if (operation.id != except && names_archive(operation, id)) co_return true;
      }
      more = page.size() == filter.limit;
      if (more) filter.after = page.back().id.value;
    }
  }
  co_return false;
}

Task<Result<void>> Lifecycle::remove_archive(std::string id, Caller caller) {
  std::optional<registry::Archive> archive;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(archive, registry::find_archive(tx, id));
    return {};
  }));
  if (!archive) co_return unknown_archive(id);
  CO_TRY_ASSIGN(const bool in_use, co_await archive_in_use(id));
  if (in_use)
    co_return base::fail_with_advice(Code::Conflict,
                                     fmt::format("an operation uses the archive {}", id),
                                     "Wait for it: granary operation list");
  CO_TRY(co_await parts_.archives.remove(id));
  const registry::AuditChange entry{.actor = caller.actor,
                                    .action = "archive.remove",
                                    .subject = "archive/" + id,
                                    .before = {},
                                    .after = {}};
  co_return co_await parts_.store.write(
      [&, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
        TRY(registry::remove_archive(tx, id));
        TRY(registry::append_audit(tx, entry, now));
        return {};
      });
}

Task<Result<std::uint32_t>> Lifecycle::sweep_archives() {
  const base::WallTime now = parts_.clock.wall();
  std::vector<registry::Archive> expired;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(expired, registry::expired_archives(tx, now, kSweepPage));
    return {};
  }));
  std::uint32_t removed = 0;
  for (const registry::Archive& archive : expired) {
    const auto gone = co_await remove_archive(archive.id, {.actor = "granary"});
    if (!gone && gone.error().code != Code::Conflict) co_return std::unexpected(gone.error());
    removed += gone ? 1 : 0;
  }
  CO_TRY_ASSIGN(const std::uint32_t unknown, co_await sweep_unknown_files());
  co_return removed + unknown;
}

// A file's age counts from when it was first seen, by boot time: its id holds a time of the clock,
// which may have been moved since.
Task<Result<std::uint32_t>> Lifecycle::sweep_unknown_files() {
  std::uint32_t removed = 0;
  std::map<std::string, base::BootTime> unknown;
  CO_TRY_ASSIGN(const auto files, co_await parts_.archives.list());
  for (const std::string& id : files) {
    std::optional<registry::Archive> known;
    CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
      TRY_ASSIGN(known, registry::find_archive(tx, id));
      return {};
    }));
    CO_TRY_ASSIGN(const bool in_use, co_await archive_in_use(id));
    if (known || in_use) continue;
    const base::BootTime now = parts_.clock.boot();
    const auto seen = unknown_since_.find(id);
    const base::BootTime since = seen == unknown_since_.end() ? now : seen->second;
    if (now - since < kUnknownFileAge) {
      unknown[id] = since;
      continue;
    }
    CO_TRY(co_await parts_.archives.remove(id));
    ++removed;
  }
  unknown_since_ = std::move(unknown);
  co_return removed;
}

}  // namespace granary::lifecycle

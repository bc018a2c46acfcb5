#include "registry/release_row.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "registry/audit.h"
#include "registry/limits.h"

namespace granary::registry {
namespace {

using base::Code;
using base::Result;
using store::Row;
using store::Transaction;

constexpr std::string_view kColumns =
    "SELECT hash, id, app, manifest, bytes, files, actor, created FROM release ";

Release from_row(const Row& row) {
  Release release;
  release.hash = row.text(0);
  release.id = base::ReleaseId(row.text(1));
  release.app = row.text(2);
  release.manifest = row.text(3);
  release.bytes = static_cast<std::uint64_t>(row.integer(4));
  release.files = static_cast<std::uint64_t>(row.integer(5));
  release.actor = row.text(6);
  release.created = base::WallTime(std::chrono::microseconds(row.integer(7)));
  return release;
}

Result<std::vector<Release>> select(Transaction& tx, std::string_view rest,
                                    std::vector<store::Value> parameters) {
  TRY_ASSIGN(const auto rows,
             tx.exec(std::string(kColumns) + std::string(rest), std::move(parameters)));
  std::vector<Release> releases;
  for (const Row& row : rows) releases.push_back(from_row(row));
  return releases;
}

base::Failure unknown(std::string_view name) {
  return base::fail_with_advice(
      Code::NotFound, fmt::format("there is no release '{}'", name),
      "See granary release list, or make one with granary release create DIR");
}

Result<Release> latest_release(Transaction& tx, std::string app) {
  if (app.empty()) {
    TRY_ASSIGN(const auto apps, list_apps(tx));
    if (apps.empty()) return unknown("latest");
    if (apps.size() > 1)
      return base::fail_with_advice(
          Code::Conflict,
          fmt::format("there is no one latest release: this installation runs the apps {}",
                      fmt::join(apps, " and ")),
          "Name the release with --release; see granary release list");
    app = apps.front();
  }
  TRY_ASSIGN(auto newest, select(tx, "WHERE app = :1 ORDER BY created DESC, hash LIMIT 1", {app}));
  if (newest.empty()) return unknown("latest");
  return std::move(newest.front());
}

bool is_hash_prefix(std::string_view text) {
  return text.size() >= 6 && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Result<Release> insert_release(Transaction& tx, Release release) {
  TRY_ASSIGN(const auto same, select(tx, "WHERE hash = :1", {release.hash}));
  if (!same.empty()) return same.front();
  TRY_ASSIGN(const auto named, select(tx, "WHERE id = :1", {release.id.value}));
  if (!named.empty())
    return base::fail_with_advice(
        Code::AlreadyExists,
        fmt::format("release '{}' has another content already", release.id.value),
        "Releases never change: choose another --name, or leave it out");
  TRY(
      tx.exec("INSERT INTO release (hash, id, app, manifest, bytes, files, actor, created) "
              "VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
              {release.hash, release.id.value, release.app, release.manifest,
               static_cast<std::int64_t>(release.bytes), static_cast<std::int64_t>(release.files),
               release.actor, release.created.time_since_epoch().count()}));
  return release;
}

Result<std::vector<std::string>> list_apps(Transaction& tx) {
  TRY_ASSIGN(
      const auto rows,
      tx.exec("SELECT DISTINCT app FROM release WHERE app <> :1 ORDER BY app", {kVerifyApp}));
  std::vector<std::string> apps;
  for (const Row& row : rows) apps.push_back(row.text(0));
  return apps;
}

Result<void> check_app(const std::vector<std::string>& apps, const std::string& app,
                       NewApp new_app) {
  const bool known = std::ranges::find(apps, app) != apps.end();
  if (apps.empty() || known || app == kVerifyApp || new_app == NewApp::Allow) return {};
  return base::fail_with_advice(
      Code::Conflict,
      fmt::format("this installation runs the app {}, not {}", fmt::join(apps, " and "), app),
      fmt::format("If {} is another release of it, give it that name in granary.yaml; if several "
                  "apps are to run here: granary release create DIR --new-app",
                  app));
}

Result<Release> record_release(Transaction& tx, Release release, NewApp new_app) {
  TRY_ASSIGN(const auto same, select(tx, "WHERE hash = :1", {release.hash}));
  if (!same.empty()) return same.front();
  TRY_ASSIGN(const auto apps, list_apps(tx));
  TRY(check_app(apps, release.app, new_app));
  TRY_ASSIGN(release, insert_release(tx, std::move(release)));
  base::json::object after;
  after["id"] = release.id.value;
  after["hash"] = release.hash;
  after["app"] = release.app;
  after["bytes"] = release.bytes;
  after["files"] = release.files;
  TRY(append_audit(tx, {release.actor, "release.create", "release/" + release.id.value, {}, after},
                   release.created));
  return release;
}

Result<Release> get_release_by_hash(Transaction& tx, const std::string& hash) {
  TRY_ASSIGN(auto found, select(tx, "WHERE hash = :1", {hash}));
  if (found.empty()) return unknown(hash);
  return std::move(found.front());
}

Result<Release> get_release(Transaction& tx, const std::string& name, const std::string& app) {
  if (name == "latest") return latest_release(tx, app);
  TRY_ASSIGN(auto named, select(tx, "WHERE id = :1", {name}));
  if (!named.empty()) return std::move(named.front());
  if (!is_hash_prefix(name)) return unknown(name);
  TRY_ASSIGN(auto found, select(tx, "WHERE hash >= :1 AND hash < :2 LIMIT 2", {name, name + "g"}));
  if (found.empty()) return unknown(name);
  if (found.size() > 1)
    return base::fail(Code::Conflict, "more than one release begins with '{}'", name);
  return std::move(found.front());
}

Result<std::vector<std::string>> accounts_at(Transaction& tx, const std::string& hash,
                                             std::uint32_t limit) {
  TRY_ASSIGN(const auto rows,
             tx.exec(fmt::format("SELECT id FROM account WHERE desired_release = :1 OR "
                                 "actual_release = :2 ORDER BY id LIMIT {}",
                                 limit),
                     {hash, hash}));
  std::vector<std::string> accounts;
  for (const Row& row : rows) accounts.push_back(row.text(0));
  return accounts;
}

Result<void> check_unused(Transaction& tx, const Release& release) {
  TRY_ASSIGN(auto accounts, accounts_at(tx, release.hash, kMaxNamedUsers + 1));
  if (!accounts.empty()) {
    const bool more = accounts.size() > kMaxNamedUsers;
    if (more) accounts.pop_back();
    return base::fail_with_advice(
        Code::Conflict,
        fmt::format("release '{}' is used by {}{}", release.id.value, fmt::join(accounts, ", "),
                    more ? " and others" : ""),
        fmt::format(
            "Bring each of these tenants to another release first: granary tenant update {} "
            "--release OTHER; or offboard them",
            accounts.front()));
  }
  return {};
}

Result<void> remove_release(Transaction& tx, const Release& release) {
  TRY(check_unused(tx, release));
  TRY(tx.exec("DELETE FROM release WHERE hash = :1", {release.hash}));
  return {};
}

Result<std::vector<Release>> spare_releases(Transaction& tx, const Spare& spare) {
  return select(
      tx,
      fmt::format("WHERE created < :1 AND (SELECT COUNT(*) FROM release newer WHERE newer.app = "
                  "release.app AND (newer.created > release.created OR (newer.created = "
                  "release.created AND newer.hash < release.hash))) >= :2 AND NOT EXISTS (SELECT 1 "
                  "FROM account WHERE account.desired_release = release.hash OR "
                  "account.actual_release = release.hash) ORDER BY created, hash LIMIT {}",
                  spare.limit),
      {spare.before.time_since_epoch().count(), static_cast<std::int64_t>(spare.keep)});
}

Result<std::vector<Release>> list_releases(Transaction& tx, std::uint32_t limit) {
  return select(tx, fmt::format("ORDER BY created DESC, hash LIMIT {}", std::min(limit, 1000U)),
                {});
}

}  // namespace granary::registry

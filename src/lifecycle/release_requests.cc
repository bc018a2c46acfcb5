#include "base/log.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/limits.h"
#include "registry/audit.h"

// What callers ask of releases: removing them, one by one or in time.
namespace granary::lifecycle {

using base::Code;
using base::Result;
using base::Task;
using base::json::object;
using operation::Operation;
using registry::Release;
using store::Transaction;

namespace {

Result<Release> find_removable(Transaction& tx, const std::string& name) {
  if (name == "latest")
    return base::fail_with_advice(Code::InvalidArgument, "'latest' names no release to delete",
                                  "Name it by its id: granary release list");
  return registry::get_release(tx, name);
}

object told(const Release& release) {
  object document;
  document["hash"] = release.hash;
  document["app"] = release.app;
  document["bytes"] = release.bytes;
  return document;
}

Result<void> remove_audited(Transaction& tx, const Release& release, const std::string& actor,
                            base::WallTime now) {
  // Read again: it may have gone since.
  TRY_ASSIGN(const Release present, registry::get_release_by_hash(tx, release.hash));
  TRY(registry::remove_release(tx, present));
  TRY(registry::append_audit(
      tx, {actor, "release.delete", "release/" + present.id.value, told(present), {}}, now));
  return {};
}

}  // namespace

// The release of an archive is wanted before any row says so.
Task<Result<void>> Lifecycle::check_no_restore() {
  for (const operation::State state :
       {operation::State::Queued, operation::State::Running, operation::State::Waiting}) {
    CO_TRY_ASSIGN(
        const auto restores,
        co_await parts_.engine.list(
            {.subject = {}, .kind = "tenant.restore", .state = state, .after = {}, .limit = 1}));
    if (restores.empty()) continue;
    co_return base::fail_with_advice(
        Code::Conflict,
        fmt::format("{} is being restored, and may need the release", restores.front().subject),
        fmt::format("Wait for it: granary operation wait {}", restores.front().id.value));
  }
  co_return Result<void>();
}

Task<Result<Release>> Lifecycle::plan_delete_release(std::string name) {
  CO_TRY(co_await check_no_restore());
  Release release;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(release, find_removable(tx, name));
    return registry::check_unused(tx, release);
  }));
  co_return release;
}

Task<Result<Operation>> Lifecycle::delete_release(std::string name, Caller caller) {
  CO_TRY_ASSIGN(const auto earlier, co_await asked_before(caller));
  if (earlier) co_return *earlier;
  CO_TRY_ASSIGN(const Release release, co_await plan_delete_release(std::move(name)));
  object input;
  input["hash"] = release.hash;
  operation::Request request{.kind = "release.delete",
                             .subject = "release/" + release.id.value,
                             .input = std::move(input),
                             .actor = caller.actor,
                             .idempotency_key = caller.idempotency_key.empty()
                                                    ? ""
                                                    : caller.actor + "/" + caller.idempotency_key};
  co_return co_await parts_.engine.submit(
      std::move(request), [release, actor = caller.actor, now = parts_.clock.wall()](
                              Transaction& tx) { return remove_audited(tx, release, actor, now); });
}

Task<Result<std::uint32_t>> Lifecycle::sweep_releases(std::uint32_t keep) {
  std::vector<Release> spare;
  const registry::Spare wanted{
      .before = parts_.clock.wall() - kKeepReleases, .keep = keep, .limit = kSweepPage};
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(spare, registry::spare_releases(tx, wanted));
    return {};
  }));
  std::uint32_t removed = 0;
  for (const Release& release : spare) {
    const auto gone = co_await delete_release(release.hash, {.actor = "granary"});
    // Used or removed since.
    const bool needless =
        !gone && (gone.error().code == Code::Conflict || gone.error().code == Code::NotFound);
    if (!gone && !needless) co_return std::unexpected(gone.error());
    removed += gone ? 1 : 0;
  }
  co_return removed;
}

// One that comes back meanwhile keeps its files: ReleaseFiles::remove() looks for the row itself.
Task<Result<std::uint32_t>> Lifecycle::sweep_release_files() {
  CO_TRY_ASSIGN(const auto files, co_await parts_.release_files.list());
  std::vector<std::string> unknown;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    for (const ReleaseFiles::Found& file : files) {
      if (file.age < kUnknownFileAge) continue;
      const auto row = registry::get_release_by_hash(tx, file.hash);
      if (!row && row.error().code != Code::NotFound) return std::unexpected(row.error());
      if (!row) unknown.push_back(file.hash);
    }
    return {};
  }));
  std::uint32_t removed = 0;
  for (const std::string& hash : unknown) {
    // Its row may have been removed a moment ago: then the operation that did so removes these.
    CO_TRY(co_await parts_.release_files.remove(hash));
    base::log::info("removed the files of {}, which is no release", hash);
    ++removed;
  }
  co_return removed;
}

}  // namespace granary::lifecycle

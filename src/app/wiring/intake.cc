#include "app/wiring/intake.h"

#include "base/os/file.h"
#include "release/release.h"

namespace granary::app {

using base::Result;
using base::Task;

Task<Result<registry::Release>> BundleIntake::take(std::string bundle_path, Wish wish) {
  while (removing_) CO_TRY(co_await changed_.wait());
  ++taking_;
  auto taken = co_await take_now(std::move(bundle_path), std::move(wish));
  --taking_;
  changed_.notify_all();
  co_return taken;
}

Task<Result<void>> BundleIntake::remove(std::string hash) {
  while (removing_ || taking_ > 0) CO_TRY(co_await changed_.wait());
  removing_ = true;
  auto removed = co_await remove_now(std::move(hash));
  removing_ = false;
  changed_.notify_all();
  co_return removed;
}

Task<Result<void>> BundleIntake::remove_now(std::string hash) {
  bool back = false;
  CO_TRY(co_await parts_.store.read([&](store::Transaction& tx) -> Result<void> {
    const auto found = registry::get_release_by_hash(tx, hash);
    if (!found && found.error().code != base::Code::NotFound) return std::unexpected(found.error());
    back = found.has_value();
    return {};
  }));
  if (back) co_return Result<void>();
  // The bundle first: where it is, so is its frontend.
  co_return co_await base::run_on(parts_.worker, [this, &hash]() -> Result<void> {
    TRY(base::os::remove_file(paths_.bundle(hash)));
    return base::os::remove_tree(paths_.frontend(hash));
  });
}

Task<Result<registry::Release>> BundleIntake::take_now(std::string bundle_path, Wish wish) {
  std::vector<std::string> apps;
  CO_TRY(co_await parts_.store.read([&apps](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(apps, registry::list_apps(tx));
    return {};
  }));
  release::ReleaseOptions options;
  options.bundles = paths_.bundles();
  options.frontends = paths_.frontends();
  // Beside the bundles, so that putting them in place is a rename.
  options.work = paths_.bundles() + "/.work-" + base::make_ulid(parts_.clock.wall(), parts_.rng);
  options.name = std::move(wish.name);
  if (wish.from == Wish::From::Archive) options.age = release::ManifestAge::Stored;
  options.accept = [&apps, new_app = wish.new_app](const release::Manifest& manifest) {
    return registry::check_app(apps, manifest.app, new_app);
  };
  auto made = co_await base::run_on(parts_.worker, [&bundle_path, &options] {
    return release::create_release_from_bundle(bundle_path, options);
  });
  if (!made) co_return std::unexpected(std::move(made).error());
  registry::Release row;
  row.hash = made->hash;
  row.id = made->id;
  row.app = made->manifest.app;
  row.manifest = base::json::print(release::to_json(made->manifest));
  row.bytes = made->bytes;
  row.files = made->files;
  row.actor = std::move(wish.actor);
  row.created = parts_.clock.wall();
  CO_TRY(co_await parts_.store.write(
      [&row, new_app = wish.new_app](store::Transaction& tx) -> Result<void> {
        TRY_ASSIGN(row, registry::record_release(tx, row, new_app));
        return {};
      }));
  co_return row;
}

}  // namespace granary::app

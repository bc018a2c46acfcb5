#include "app/wiring/intake.h"

#include <algorithm>

#include "base/os/file.h"
#include "release/release.h"

namespace granary::app {

using base::Result;
using base::Task;

namespace {

// Beside the bundles, so that putting them in place is a rename.
constexpr std::string_view kWork = ".work-";
constexpr std::string_view kEnding = ".tar.zst";

// As release::create_release_from_bundle names what it puts in place.
bool is_hash(std::string_view name) {
  return name.size() == 64 && std::ranges::all_of(name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

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

// None is taken in meanwhile, so whatever is half made was left behind.
Task<Result<std::vector<BundleIntake::Found>>> BundleIntake::list() {
  while (removing_ || taking_ > 0) CO_TRY(co_await changed_.wait());
  removing_ = true;
  auto found = co_await base::run_on(parts_.worker, [this] { return list_now(); });
  removing_ = false;
  changed_.notify_all();
  co_return found;
}

// The bundle comes last into its place, but a frontend may lie there without one.
Result<std::vector<BundleIntake::Found>> BundleIntake::list_now() const {
  std::map<std::string, std::string> paths;  // by hash
  TRY_ASSIGN(const auto frontends, base::os::list_folder(paths_.frontends()));
  for (const std::string& name : frontends)
    if (is_hash(name)) paths[name] = paths_.frontend(name);
  TRY_ASSIGN(const auto bundles, base::os::list_folder(paths_.bundles()));
  for (const std::string& name : bundles) {
    if (name.starts_with(kWork)) TRY(base::os::remove_tree(paths_.bundles() + "/" + name));
    if (!name.ends_with(kEnding)) continue;
    const std::string hash = name.substr(0, name.size() - kEnding.size());
    if (is_hash(hash)) paths[hash] = paths_.bundle(hash);
  }
  std::vector<Found> found;
  for (const auto& [hash, path] : paths) {
    TRY_ASSIGN(const auto stamp, base::os::file_stamp(path));
    const base::WallTime made(std::chrono::microseconds(stamp.changed / 1000));
    found.push_back(
        {hash, std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.wall() - made)});
  }
  return found;
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
  options.work = fmt::format("{}/{}", paths_.bundles(), kWork) +
                 base::make_ulid(parts_.clock.wall(), parts_.rng);
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

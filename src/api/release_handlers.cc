#include "api/handlers.h"
#include "api/views.h"
#include "base/log.h"

// Releases: rows of the registry; a new one goes through the ReleaseIntake.
namespace granary::api {

using base::Code;
using base::Result;
using registry::Release;
using store::Transaction;

namespace {

// What list_releases of the registry returns at most; it has no cursor of its own.
constexpr std::uint32_t kListed = 1000;

Result<void> skip_to(std::vector<Release>& releases, const std::string& after) {
  if (after.empty()) return {};
  const auto found =
      std::ranges::find(releases, after, [](const Release& r) { return r.id.value; });
  if (found == releases.end())
    return base::fail(Code::InvalidArgument, "parameter 'after' names no release of this list");
  releases.erase(releases.begin(), found + 1);
  return {};
}

}  // namespace

Answer list_releases(Context& context, Request request) {
  CO_TRY_ASSIGN(const std::uint32_t limit, page_limit(request));
  std::vector<Release> releases;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(releases, registry::list_releases(tx, kListed));
    return skip_to(releases, request.query_or("after", ""));
  }));
  api_wire::ReleaseList page;
  cut_page(page, releases, limit, [](const Release& release) { return release.id.value; });
  for (const Release& release : releases) page.items.push_back(release_document(release));
  co_return answer(page);
}

Answer create_release(Context& context, Request request) {
  const std::string new_app = request.query_or("new_app", "false");
  if (new_app != "true" && new_app != "false")
    co_return base::fail(Code::InvalidArgument, "parameter 'new_app' must be true or false");
  ReleaseIntake::Wish wish;
  wish.name = request.query_or("name", "");
  wish.actor = request.actor();
  if (new_app == "true") wish.new_app = registry::NewApp::Allow;
  const std::string name = wish.name;
  CO_TRY_ASSIGN(const Release release,
                co_await context.parts.releases.take(request.upload, std::move(wish)));
  if (!name.empty() && name != release.id.value)
    co_return base::fail_with_advice(
        Code::AlreadyExists,
        fmt::format("these contents are release {} already, and a release has one name",
                    release.id.value),
        fmt::format("Use the name {}, or change the contents", release.id.value));
  Response response = answer(release_document(release), http::status::created);
  response.headers.emplace_back("Location", "/v1/releases/" + release.id.value);
  co_return response;
}

Answer delete_release(Context& context, Request request) {
  const std::string dry_run = request.query_or("dry_run", "false");
  if (dry_run != "true" && dry_run != "false")
    co_return base::fail(Code::InvalidArgument, "parameter 'dry_run' must be true or false");
  const std::string name = request.place("release");
  if (dry_run == "true") {
    CO_TRY_ASSIGN(const Release release,
                  co_await context.parts.lifecycle.plan_delete_release(name));
    co_return answer(release_document(release));
  }
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.delete_release(name, caller_of(request)));
  co_return accepted(operation);
}

Answer show_release(Context& context, Request request) {
  Release release;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(release, registry::get_release(tx, request.place("release")));
    return {};
  }));
  api_wire::ReleaseDocument document = release_document(release);
  auto manifest = base::json::parse_object(release.manifest, release.manifest.size());
  if (manifest) {
    document.manifest = std::move(*manifest);
  } else {
    base::log::warn("the manifest of release {} is damaged: {}", release.id.value,
                    base::describe(manifest.error()));
  }
  co_return answer(document);
}

}  // namespace granary::api

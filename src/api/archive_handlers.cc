#include "api/handlers.h"
#include "api/limits.h"
#include "api/wire/archive_documents.h"
#include "registry/account.h"

// All of a tenant as one file: made, fetched, brought back. For operators alone: an archive is the
// customer's whole data.
namespace granary::api {

using base::Code;
using base::Result;
using base::Task;
using registry::Archive;
using store::Transaction;

namespace {

api_wire::ArchiveDocument archive_document(const Archive& archive) {
  return {archive.id,
          archive.account.value,
          std::string(to_string(archive.kind)),
          archive.bytes,
          archive.sha256,
          base::to_rfc3339(archive.created),
          base::to_rfc3339(archive.expires)};
}

Task<Result<Archive>> find_archive(Context& context, std::string id) {
  std::optional<Archive> found;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(found, registry::find_archive(tx, id));
    return {};
  }));
  if (found) co_return std::move(*found);
  co_return base::fail_with_advice(Code::NotFound,
                                   fmt::format("there is no archive {}", base::quote(id)),
                                   "See granary archive list; each goes when its time has come");
}

Result<base::os::OpenFile> open_file(const std::string& folder, const std::string& name) {
  TRY_ASSIGN(const auto opened, base::os::Folder::open(folder));
  return opened.open_file(name);
}

// RFC 9530: what the whole file is, however it travelled.
std::string digest_field(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return fmt::format("sha-256=:{}:", base::to_base64(bytes));
}

Result<std::chrono::milliseconds> keep_of(const api_wire::ExportDocument& wish) {
  if (!wish.keep) return kDefaultKeep;
  TRY_ASSIGN(const std::chrono::milliseconds keep, base::parse_duration(*wish.keep));
  if (keep.count() > 0 && keep <= kLongestKeep) return keep;
  return base::fail_with_advice(
      Code::InvalidArgument, "an archive is kept for more than nothing and at most 30d",
      "Fetch it with granary tenant export T --to FILE to have it longer");
}

}  // namespace

Answer export_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto wish, body_of<api_wire::ExportDocument>(request));
  lifecycle::Export exporting{.id = tenant_in(request)};
  CO_TRY_ASSIGN(exporting.keep, keep_of(wish));
  CO_TRY_ASSIGN(const auto operation, co_await context.parts.lifecycle.export_tenant(
                                          std::move(exporting), caller_of(request)));
  co_return accepted(operation);
}

Answer restore_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(auto wish, body_of<api_wire::RestoreDocument>(request));
  lifecycle::Restore restore;
  // A new tenant's name is held to the rule, one that is there need not be any more.
  restore.id = tenant_in(request);
  if (wish.replace.value_or(false)) {
    restore.into = lifecycle::Restore::Into::ExistingTenant;
  } else {
    CO_TRY_ASSIGN(restore.id.value, base::parse_slug(restore.id.value, "tenant name"));
  }
  if (wish.release && restore.into == lifecycle::Restore::Into::ExistingTenant)
    co_return base::fail_with_advice(
        Code::InvalidArgument, "a tenant whose data is replaced keeps its release",
        "Leave the release out; deploy another one with granary tenant update");
  restore.archive = std::move(wish.archive);
  restore.release = std::move(wish.release);
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.restore(std::move(restore), caller_of(request)));
  co_return accepted(operation);
}

Answer list_archives(Context& context, Request request) {
  CO_TRY_ASSIGN(const std::uint32_t limit, page_limit(request));
  const registry::ArchiveFilter filter{.account = base::AccountId(request.query_or("tenant", "")),
                                       .after = request.query_or("after", ""),
                                       .limit = limit + 1};
  std::vector<Archive> archives;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(archives, registry::list_archives(tx, filter));
    return {};
  }));
  api_wire::ArchiveList page;
  cut_page(page, archives, limit, [](const Archive& archive) { return archive.id; });
  for (const Archive& archive : archives) page.items.push_back(archive_document(archive));
  co_return answer(page);
}

Answer create_archive(Context& context, Request request) {
  CO_TRY_ASSIGN(const Archive archive,
                co_await context.parts.archives.take(request.upload, request.actor()));
  Response response = answer(archive_document(archive), http::status::created);
  response.headers.emplace_back("Location", "/v1/archives/" + archive.id);
  co_return response;
}

Answer show_archive(Context& context, Request request) {
  CO_TRY_ASSIGN(const Archive archive, co_await find_archive(context, request.place("archive")));
  co_return answer(archive_document(archive));
}

Answer read_archive(Context& context, Request request) {
  if (context.metrics.downloads >= kMaxDownloads)
    co_return base::fail_with_advice(
        Code::Exhausted, fmt::format("{} archives are on their way out already", kMaxDownloads),
        "Try again when one is through");
  CO_TRY_ASSIGN(const Archive archive, co_await find_archive(context, request.place("archive")));
  auto opened = co_await base::run_on(
      context.parts.worker, [folder = context.options.archive_folder, name = archive.id + ".tar"] {
        return open_file(folder, name);
      });
  if (!opened || opened->status.size != archive.bytes)
    co_return base::fail_with_advice(
        Code::DataLoss,
        fmt::format("the file of archive {} is not there as it was made", archive.id),
        "Export the tenant again");
  Response response;
  response.kind = Response::Kind::File;
  response.type = "application/x-tar";
  response.file = std::make_unique<base::os::OpenFile>(std::move(*opened));
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", archive.sha256));
  response.headers.emplace_back("Repr-Digest", digest_field(archive.sha256));
  co_return response;
}

Answer remove_archive(Context& context, Request request) {
  // The row first: an unknown id is no path to anything.
  CO_TRY_ASSIGN(const Archive archive, co_await find_archive(context, request.place("archive")));
  CO_TRY(co_await context.parts.lifecycle.remove_archive(archive.id, caller_of(request)));
  co_return no_content();
}

}  // namespace granary::api

#include "app/wiring/tenant_archives.h"

#include <algorithm>

#include "archive/tenant_archive.h"
#include "base/os/file.h"
#include "wire/data_archive.h"

namespace granary::app {

using base::Code;
using base::Result;
using base::Task;
using base::json::object;
using lifecycle::ArchiveFile;
using lifecycle::ArchiveHead;

namespace {

constexpr std::string_view kEnding = ".tar";

Result<std::uint64_t> count_in(const object& from, const char* name) {
  TRY_ASSIGN(const std::int64_t value, base::json::get_int(from, name));
  if (value < 0) return base::fail(Code::InvalidArgument, "member '{}' is below zero", name);
  return static_cast<std::uint64_t>(value);
}

// The name that the release was given; empty where it is the one that the platform gives.
std::string given_name(const ArchiveHead& head) {
  const bool platforms = head.release.ends_with("-" + head.release_hash.substr(0, 12));
  return platforms ? "" : head.release;
}

// It stands for a part of a path from here on.
bool is_hash(const std::string& text) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::ranges::all_of(text, digit);
}

Result<void> remove_both(const wire::Paths& paths, const std::string& id) {
  TRY(base::os::remove_file(paths.archive(id)));
  return base::os::remove_file(paths.transfer(id));
}

// The data once more, file by file: what is refused here has changed nothing.
Result<void> check_inside(const std::string& archive, const std::string& scratch) {
  TRY(archive::extract(archive, {.release = {}, .data = scratch}));
  const auto checked = wire::check_data(scratch, {});
  TRY(base::os::remove_file(scratch));
  if (!checked) return std::unexpected(checked.error());
  return {};
}

}  // namespace

object to_document(const ArchiveHead& head) {
  object release;
  release["name"] = head.release;
  release["hash"] = head.release_hash;
  object data;
  data["files"] = head.data.files;
  data["data_bytes"] = head.data.data_bytes;
  data["paused_us"] = head.data.paused.count();
  data["left_out"] = to_json(head.data.left_out);
  object document;
  document["tenant"] = head.tenant;
  document["installation"] = head.installation;
  document["created_us"] = head.created.time_since_epoch().count();
  document["created"] = base::to_rfc3339(head.created);
  document["configuration"] = head.configuration;
  if (!head.release_hash.empty()) document["release"] = std::move(release);
  document["data"] = std::move(data);
  return document;
}

Result<ArchiveHead> head_from(const object& document) {
  ArchiveHead head;
  TRY_ASSIGN(head.tenant, base::json::get_string(document, "tenant"));
  TRY_ASSIGN(head.tenant, base::parse_slug(head.tenant, "tenant name"));
  TRY_ASSIGN(head.installation, base::json::get_string(document, "installation"));
  TRY_ASSIGN(const std::int64_t created, base::json::get_int(document, "created_us"));
  head.created = base::WallTime(std::chrono::microseconds(created));
  if (const object* configuration = base::json::find_object(document, "configuration"))
    head.configuration = *configuration;
  if (const object* release = base::json::find_object(document, "release")) {
    TRY_ASSIGN(head.release, base::json::get_string(*release, "name"));
    TRY_ASSIGN(head.release_hash, base::json::get_string(*release, "hash"));
    if (!is_hash(head.release_hash))
      return base::fail(Code::InvalidArgument, "the archive's release has no hash");
  }
  const object* data = base::json::find_object(document, "data");
  if (data == nullptr) return base::fail(Code::InvalidArgument, "the archive holds no data");
  TRY_ASSIGN(head.data.bytes, count_in(*data, "bytes"));
  TRY_ASSIGN(head.data.sha256, base::json::get_string(*data, "sha256"));
  TRY_ASSIGN(head.data.files, count_in(*data, "files"));
  TRY_ASSIGN(head.data.data_bytes, count_in(*data, "data_bytes"));
  TRY_ASSIGN(const std::uint64_t paused, count_in(*data, "paused_us"));
  head.data.paused = std::chrono::microseconds(paused);
  // Older archives have a number in their data alone.
  if (const object* left_out = base::json::find_object(*data, "left_out")) {
    TRY_ASSIGN(head.data.left_out, base::left_out_from(*left_out));
  }
  return head;
}

Task<Result<ArchiveFile>> TenantArchives::pack(std::string id, ArchiveHead head) {
  co_return co_await base::run_on(parts_.worker, [&]() -> Result<ArchiveFile> {
    const std::string path = paths_.archive(id);
    const archive::Members members{
        .release = head.release_hash.empty() ? "" : paths_.bundle(head.release_hash),
        .data = paths_.transfer(id)};
    // Again after a lost answer: the transfer is used up when the archive stands.
    const bool again = !base::os::exists(members.data) && base::os::exists(path);
    TRY_ASSIGN(const archive::Written written,
               again ? archive::measure(path) : archive::write(path, to_document(head), members));
    TRY(base::os::remove_file(members.data));
    return ArchiveFile{written.bytes, written.sha256};
  });
}

Task<Result<ArchiveHead>> TenantArchives::head(std::string id) {
  co_return co_await base::run_on(parts_.worker, [&]() -> Result<ArchiveHead> {
    TRY_ASSIGN(const object document, archive::read_document(paths_.archive(id)));
    return head_from(document);
  });
}

Task<Result<bool>> TenantArchives::has_release(std::string hash) {
  bool known = false;
  CO_TRY(co_await parts_.store.read([&](store::Transaction& tx) -> Result<void> {
    const auto found = registry::get_release_by_hash(tx, hash);
    known = found.has_value();
    if (found || found.error().code == Code::NotFound) return {};
    return std::unexpected(found.error());
  }));
  co_return known&& base::os::exists(paths_.bundle(hash));
}

Task<Result<ArchiveHead>> TenantArchives::unpack(std::string id, std::string transfer,
                                                 std::string actor) {
  CO_TRY_ASSIGN(const ArchiveHead head, co_await this->head(id));
  bool wanted = false;
  if (!head.release_hash.empty()) {
    CO_TRY_ASSIGN(const bool known, co_await has_release(head.release_hash));
    wanted = !known;
  }
  const std::string bundle = wanted ? paths_.archives() + "/" + transfer + ".release" : "";
  CO_TRY(co_await base::run_on(parts_.worker, [&]() -> Result<void> {
    TRY(archive::extract(paths_.archive(id),
                         {.release = bundle, .data = paths_.transfer(transfer)}));
    return {};
  }));
  if (!wanted) co_return head;
  // Whoever restores a tenant wants its app here, too.
  api::ReleaseIntake::Wish wish;
  wish.name = given_name(head);
  wish.actor = actor;
  wish.new_app = registry::NewApp::Allow;
  wish.from = api::ReleaseIntake::Wish::From::Archive;
  auto taken = co_await parts_.releases.take(bundle, wish);
  // Another release has the name here.
  wish.name.clear();
  if (!taken && taken.error().code == Code::AlreadyExists)
    taken = co_await parts_.releases.take(bundle, std::move(wish));
  CO_TRY(base::os::remove_file(bundle));
  if (!taken) co_return std::unexpected(taken.error());
  if (taken->hash != head.release_hash)
    co_return base::fail(Code::DataLoss, "the archive's release is not the one that it names");
  co_return head;
}

Task<Result<void>> TenantArchives::remove(std::string id) {
  co_return co_await base::run_on(parts_.worker, [&] { return remove_both(paths_, id); });
}

Task<Result<std::vector<std::string>>> TenantArchives::list() {
  co_return co_await base::run_on(parts_.worker, [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> ids;
    TRY_ASSIGN(const auto archives, base::os::list_folder(paths_.archives()));
    TRY_ASSIGN(const auto transfers, base::os::list_folder(paths_.transfers()));
    for (const std::string& name : archives) {
      if (name.ends_with(kEnding)) ids.push_back(name.substr(0, name.size() - kEnding.size()));
    }
    ids.insert(ids.end(), transfers.begin(), transfers.end());
    std::erase_if(ids, [](const std::string& id) { return !base::is_ulid(id); });
    return ids;
  });
}

Task<Result<TenantArchives::Taken>> TenantArchives::take(std::string file, std::string id) {
  co_return co_await base::run_on(parts_.worker, [&]() -> Result<Taken> {
    Taken taken;
    TRY_ASSIGN(const object document, archive::check(file));
    TRY_ASSIGN(taken.head, head_from(document));
    TRY(check_inside(file, paths_.transfer(id)));
    TRY_ASSIGN(const archive::Written measured, archive::measure(file));
    taken.file = {measured.bytes, measured.sha256};
    TRY(base::os::rename_file(file, paths_.archive(id)));
    TRY(base::os::sync_folder(paths_.archives()));
    return taken;
  });
}

Task<Result<registry::Archive>> ArchiveUploads::take(std::string path, std::string actor) {
  const std::string id = base::make_ulid(parts_.clock.wall(), parts_.rng);
  CO_TRY_ASSIGN(auto taken, co_await parts_.archives.take(std::move(path), id));
  co_return co_await parts_.lifecycle.take_archive(id, taken.file, std::move(taken.head),
                                                   {.actor = std::move(actor)});
}

Task<Result<std::uint64_t>> ArchiveUploads::free_bytes() {
  co_return co_await base::run_on(
      parts_.worker, [folder = parts_.folder] { return base::os::free_bytes(folder); });
}

}  // namespace granary::app

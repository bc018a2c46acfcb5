#include "base/amount.h"
#include "lifecycle/steps.h"
#include "lifecycle/subjects.h"

// Exporting: the account's data into a transfer, then all of it into one archive. Both carry the
// operation's id as their name, so that a step that runs again makes the same files anew.
namespace granary::lifecycle {

using base::AccountId;
using base::Result;
using base::Task;
using base::json::object;
using operation::Operation;
using operation::Outcome;
using registry::Account;
using store::Transaction;

object to_json(const cloud::DataExport& data) {
  object document;
  document["bytes"] = data.bytes;
  document["sha256"] = data.sha256;
  document["files"] = data.files;
  document["data_bytes"] = data.data_bytes;
  document["paused_us"] = data.paused.count();
  document["left_out"] = to_json(data.left_out);
  return document;
}

Result<cloud::DataExport> data_export_from(const object& document) {
  const auto number = [&](const char* name) -> Result<std::uint64_t> {
    TRY_ASSIGN(const std::int64_t value, base::json::get_int(document, name));
    if (value < 0)
      return base::fail(base::Code::InvalidArgument, "member '{}' is below zero", name);
    return static_cast<std::uint64_t>(value);
  };
  cloud::DataExport data;
  TRY_ASSIGN(data.bytes, number("bytes"));
  TRY_ASSIGN(data.sha256, base::json::get_string(document, "sha256"));
  TRY_ASSIGN(data.files, number("files"));
  TRY_ASSIGN(data.data_bytes, number("data_bytes"));
  TRY_ASSIGN(const std::uint64_t paused, number("paused_us"));
  data.paused = std::chrono::microseconds(paused);
  // Of an operation that began before it was told.
  if (const object* left_out = base::json::find_object(document, "left_out")) {
    TRY_ASSIGN(data.left_out, base::left_out_from(*left_out));
  }
  return data;
}

std::string text_of(const cloud::DataExport& data) {
  std::string text =
      fmt::format("{} with {}; writes were held back for {} ms", base::counted(data.files, "file"),
                  base::human_bytes(data.data_bytes), (data.paused.count() + 999) / 1000);
  if (!data.left_out.empty()) text += "; left out: " + describe(data.left_out);
  return text;
}

Task<Result<ArchiveHead>> Lifecycle::Steps::head_of(AccountId id, cloud::DataExport data) {
  ArchiveHead head;
  head.tenant = id.value;
  head.installation = parts.signing_key.id();
  head.data = std::move(data);
  head.created = parts.clock.wall();
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    head.configuration = registry::audit_document(account);
    for (const char* of_here : {"state", "release", "cloud", "kind", "pinned", "pinned_until"})
      head.configuration.erase(of_here);
    if (account.actual_release.empty()) return {};
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.actual_release));
    head.release = release.id.value;
    head.release_hash = release.hash;
    return {};
  }));
  co_return head;
}

Lifecycle::Steps::Step Lifecycle::Steps::export_data(Operation operation) {
  const AccountId id = account_of(operation);
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await whole.cloud_of(id));
  CO_TRY_ASSIGN(const cloud::DataExport data, co_await driver->export_data(id, operation.id.value));
  Outcome outcome;
  outcome.scratch["data"] = to_json(data);
  outcome.detail = text_of(data);
  co_return outcome;
}

Task<Result<Outcome>> Lifecycle::Steps::pack_as(Operation operation, registry::ArchiveKind kind,
                                                base::WallTime expires) {
  const AccountId id = account_of(operation);
  const object* exported = base::json::find_object(operation.scratch, "data");
  if (exported == nullptr) co_return base::fail(base::Code::Internal, "there is no data to pack");
  CO_TRY_ASSIGN(const cloud::DataExport data, data_export_from(*exported));
  CO_TRY_ASSIGN(ArchiveHead head, co_await head_of(id, data));
  const base::WallTime created = head.created;
  CO_TRY_ASSIGN(const ArchiveFile file,
                co_await parts.archives.pack(operation.id.value, std::move(head)));
  Outcome outcome;
  outcome.detail =
      fmt::format("archive of {}, SHA-256 {}", base::human_bytes(file.bytes), file.sha256);
  object result = *exported;
  result["archive"] = operation.id.value;
  result["archive_bytes"] = file.bytes;
  result["archive_sha256"] = file.sha256;
  result["expires"] = base::to_rfc3339(expires);
  outcome.result = std::move(result);
  const registry::Archive row{.id = operation.id.value,
                              .account = id,
                              .kind = kind,
                              .bytes = file.bytes,
                              .sha256 = file.sha256,
                              .created = created,
                              .expires = expires};
  outcome.commit = [row](Transaction& tx) { return registry::put_archive(tx, row); };
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::pack(Operation operation) {
  const auto keep = base::json::get_int_or(operation.input, "keep_us", 0).value_or(0);
  const base::WallTime expires = parts.clock.wall() + std::chrono::microseconds(keep);
  co_return co_await pack_as(std::move(operation), registry::ArchiveKind::Export, expires);
}

}  // namespace granary::lifecycle

#include "cli/archive_transfer.h"
#include "cli/commands.h"
#include "cli/tenant_finish.h"
#include "cli/text.h"

// granary tenant export | restore, granary archive ...
namespace granary::cli {

using api_wire::ArchiveDocument;
using api_wire::ArchiveList;
using api_wire::OperationDocument;
using api_wire::TenantDocument;
using base::Code;
using base::Result;

namespace {

struct ExportOptions {
  std::string tenant;
  std::string file;
  std::optional<std::string> keep;
  bool force = false;
};

struct RestoreOptions {
  std::string tenant;
  std::string file;
  std::string archive;  // one that is there already, instead of a file
  std::optional<std::string> release;
  bool replace = false;
  bool yes = false;
  bool no_wait = false;
};

struct GetOptions {
  std::string id;
  std::string file;
  bool force = false;
};

std::string path_to_archive(const std::string& id) { return path_of({"v1", "archives", id}); }

Overwrite overwrite_of(bool force) { return force ? Overwrite::Yes : Overwrite::No; }

std::string text_of(const ArchiveDocument& archive, const std::string& file) {
  return fmt::format("{} holds all of {}: {}, SHA-256 {}\n", safe(file), safe(archive.tenant),
                     human_bytes(archive.bytes), safe(archive.sha256));
}

Result<std::string> archive_in(const OperationDocument& operation) {
  if (operation.result) {
    const auto id = base::json::get_string(*operation.result, "archive");
    if (id) return *id;
  }
  return base::fail_with_advice(Code::Internal,
                                fmt::format("{} names no archive", title(operation)),
                                fmt::format("See granary operation show {} and granary archive "
                                            "list",
                                            operation.id));
}

Result<void> export_tenant(Session& session, const ExportOptions& options) {
  // Before the platform has the work of it.
  TRY(check_target(options.file, overwrite_of(options.force)));
  const api_wire::ExportDocument wish{options.keep};
  TRY_ASSIGN(auto operation,
             session.api().send<OperationDocument>(
                 http::verb::post, path_of({"v1", "tenants", options.tenant, "export"}), wish));
  TRY_ASSIGN(operation, session.wait(std::move(operation)));
  TRY_ASSIGN(const std::string id, archive_in(operation));
  if (const std::string left_out = left_out_of(operation); !left_out.empty())
    session.tell("left out: " + left_out);
  TRY_ASSIGN(const auto archive, session.api().get<ArchiveDocument>(path_to_archive(id)));
  const auto fetched = fetch_archive(session, archive, options.file, overwrite_of(options.force));
  if (!fetched) {
    base::Error error = fetched.error();
    error.advice += fmt::format("{}The archive itself is made: granary archive get {} --to FILE",
                                error.advice.empty() ? "" : ". ", id);
    return std::unexpected(std::move(error));
  }
  session.tell(
      fmt::format("the platform keeps its copy until {}; to remove it now: granary "
                  "archive delete {}",
                  archive.expires, archive.id));
  session.show(archive, [&] { return text_of(archive, options.file); });
  return {};
}

// What the API would say once all has been sent is asked for before.
Result<void> check_tenant(Session& session, const RestoreOptions& options) {
  const auto tenant = session.api().get<TenantDocument>(path_to_tenant(options.tenant));
  if (options.replace && !tenant) return std::unexpected(tenant.error());
  if (!options.replace && tenant)
    return base::fail_with_advice(Code::AlreadyExists,
                                  fmt::format("there is a tenant '{}' already", options.tenant),
                                  "Restore into another name, or replace its data with --replace");
  if (!tenant && tenant.error().code != Code::NotFound) return std::unexpected(tenant.error());
  return {};
}

Result<void> confirm_replacement(Session& session, const RestoreOptions& options) {
  if (!options.replace || options.yes) return {};
  return session.confirm(
      fmt::format("All data that {} has now will be replaced. This cannot be undone.",
                  options.tenant),
      options.tenant);
}

Result<void> restore_tenant(Session& session, const RestoreOptions& options) {
  if (options.file.empty() == options.archive.empty())
    return base::fail_with_advice(Code::InvalidArgument, "nothing to restore from",
                                  "Give --from FILE, or --archive ID of one that is there");
  TRY(check_tenant(session, options));
  TRY(confirm_replacement(session, options));
  api_wire::RestoreDocument wish{.archive = options.archive, .release = options.release};
  if (options.replace) wish.replace = true;
  if (!options.file.empty()) {
    TRY_ASSIGN(const auto archive, send_archive(session, options.file));
    session.tell(
        fmt::format("sent {}, an archive of {}", human_bytes(archive.bytes), archive.tenant));
    wish.archive = archive.id;
  }
  auto operation = session.api().send<OperationDocument>(
      http::verb::post, path_of({"v1", "tenants", options.tenant, "restore"}), wish);
  if (!operation) {
    // Nobody needs it there now; if it stays, it goes when its time has come.
    if (!options.file.empty()) (void)session.api().remove(path_to_archive(wish.archive));
    return std::unexpected(operation.error());
  }
  return finish_tenant(session, std::move(*operation), options.tenant,
                       options.no_wait ? Wait::No : Wait::Yes);
}

Result<void> list_archives(Session& session, const std::string& tenant) {
  TRY_ASSIGN(const auto list,
             session.api().get_all<ArchiveList>(path_of({"v1", "archives"}), {{"tenant", tenant}}));
  session.show(list, [&] {
    Table table({"ARCHIVE", "TENANT", "KIND", "SIZE", "AGE", "EXPIRES"});
    for (const ArchiveDocument& archive : list.items)
      table.add({archive.id, archive.tenant, archive.kind, human_bytes(archive.bytes),
                 age(archive.created, session.now()), archive.expires});
    return table.text();
  });
  return {};
}

Result<void> get_archive(Session& session, const GetOptions& options) {
  TRY(check_target(options.file, overwrite_of(options.force)));
  TRY_ASSIGN(const auto archive, session.api().get<ArchiveDocument>(path_to_archive(options.id)));
  TRY(fetch_archive(session, archive, options.file, overwrite_of(options.force)));
  session.show(archive, [&] { return text_of(archive, options.file); });
  return {};
}

Result<void> delete_archive(Session& session, const std::string& id) {
  TRY(session.api().remove(path_to_archive(id)));
  session.tell(fmt::format("archive {} is deleted", id));
  return {};
}

void add_restore(CLI::App& tenant, Commands& commands) {
  CLI::App* command = add_verb(tenant, "restore", "a tenant from such a file");
  const auto options = std::make_shared<RestoreOptions>();
  command->add_option("TENANT", options->tenant, "the tenant to make, or to put data into")
      ->required();
  CLI::Option* file =
      command->add_option("--from", options->file, "the archive, as granary tenant export made it")
          ->check(CLI::ExistingFile);
  command->add_option("--archive", options->archive, "one that the platform has: archive list")
      ->excludes(file);
  command->add_option("--release", options->release, "of a new tenant; the archive's else");
  command->add_flag("--replace", options->replace, "replace the data of a tenant that is there");
  command->add_flag("--yes", options->yes, "do not ask");
  command->add_flag("--no-wait", options->no_wait, "do not wait for the end");
  commands.on(command, [options](Session& session) { return restore_tenant(session, *options); });
}

}  // namespace

void add_export_commands(CLI::App& tenant, Commands& commands) {
  CLI::App* command = add_verb(tenant, "export", "all of a tenant as one file");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("TENANT", options->tenant)->required();
  command->add_option("--to", options->file, "the file to make; all of the customer's data")
      ->required();
  command->add_option("--keep", options->keep, "how long the platform keeps its copy; 24h else");
  command->add_flag("--force", options->force, "write over a file that is there");
  commands.on(command, [options](Session& session) { return export_tenant(session, *options); });
  add_restore(tenant, commands);
}

void add_archive_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "archive", "tenants as files that the platform keeps");
  CLI::App* list = add_verb(*noun, "list", "archives, oldest first");
  const auto tenant = std::make_shared<std::string>();
  list->add_option("--tenant", *tenant, "only of this");
  commands.on(list, [tenant](Session& session) { return list_archives(session, *tenant); });
  CLI::App* get = add_verb(*noun, "get", "fetch one");
  const auto options = std::make_shared<GetOptions>();
  get->add_option("ID", options->id)->required();
  get->add_option("--to", options->file, "the file to make")->required();
  get->add_flag("--force", options->force, "write over a file that is there");
  commands.on(get, [options](Session& session) { return get_archive(session, *options); });
  CLI::App* remove = add_verb(*noun, "delete", "remove one from the platform");
  const auto id = std::make_shared<std::string>();
  remove->add_option("ID", *id)->required();
  commands.on(remove, [id](Session& session) { return delete_archive(session, *id); });
}

}  // namespace granary::cli

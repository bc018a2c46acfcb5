#include "api/wire/documents.h"
#include "cli/commands.h"
#include "cli/release_upload.h"
#include "cli/tenant_finish.h"
#include "cli/text.h"

// granary release ...
namespace granary::cli {

using api_wire::ReleaseDocument;
using api_wire::ReleaseList;
using base::Result;

namespace {

std::string facts_of(const ReleaseDocument& release) {
  Facts facts;
  facts.add("release", release.id);
  facts.add("app", release.app);
  facts.add("hash", release.hash);
  facts.add("files", std::to_string(release.files));
  facts.add("size", human_bytes(release.bytes));
  facts.add("created", release.created);
  facts.add("by", release.actor);
  return facts.text();
}

// The API's document, and what the client alone knows: `left_out`.
std::string json_of(const Uploaded& uploaded) {
  base::json::array left_out;
  for (const wire::LeftOut& one : uploaded.left_out) {
    base::json::object item;
    item["rule"] = one.rule;
    item["files"] = one.files;
    item["folders"] = one.folders;
    item["example"] = one.example;
    item["note"] = one.note;
    left_out.emplace_back(std::move(item));
  }
  base::json::object document = api_wire::to_json(uploaded.release).as_object();
  document["left_out"] = std::move(left_out);
  return base::json::print(document) + "\n";
}

Result<void> create_release(Session& session, const UploadOptions& options) {
  TRY_ASSIGN(const Uploaded uploaded, upload_release(session, options));
  session.print(session.format() == Format::Json ? json_of(uploaded) : facts_of(uploaded.release));
  return {};
}

Result<void> list_releases(Session& session) {
  TRY_ASSIGN(const auto list, session.api().get_all<ReleaseList>(path_of({"v1", "releases"}), {}));
  session.show(list, [&] {
    Table table({"RELEASE", "APP", "FILES", "SIZE", "AGE", "BY"});
    for (const ReleaseDocument& release : list.items)
      table.add({release.id, release.app, std::to_string(release.files), human_bytes(release.bytes),
                 age(release.created, session.now()), release.actor});
    return table.text();
  });
  return {};
}

Result<void> show_release(Session& session, const std::string& name) {
  TRY_ASSIGN(const auto release,
             session.api().get<ReleaseDocument>(path_of({"v1", "releases", name})));
  session.show(release, [&] {
    std::string text = facts_of(release);
    if (release.manifest) text += "\nmanifest:\n" + outline(*release.manifest);
    return text;
  });
  return {};
}

struct DeleteOptions {
  std::string release;
  bool dry_run = false;
  bool no_wait = false;
};

Result<void> delete_release(Session& session, const DeleteOptions& options) {
  const std::string path = path_of({"v1", "releases", options.release});
  if (options.dry_run) {
    TRY_ASSIGN(const auto release,
               session.api().remove<ReleaseDocument>(with_query(path, {{"dry_run", "true"}})));
    session.show(release, [&] {
      return facts_of(release) + "Nothing was deleted. It would go with its files.\n";
    });
    return {};
  }
  TRY_ASSIGN(auto operation, session.api().remove<api_wire::OperationDocument>(path));
  return finish_operation(session, std::move(operation), options.no_wait ? Wait::No : Wait::Yes,
                          fmt::format("release {} is deleted", options.release));
}

void add_delete(CLI::App& noun, Commands& commands) {
  CLI::App* command = add_verb(noun, "delete", "delete a release that no tenant is at");
  const auto options = std::make_shared<DeleteOptions>();
  command->add_option("RELEASE", options->release, "its name or its hash")->required();
  command->add_flag("--dry-run", options->dry_run, "say what would go, and delete nothing");
  command->add_flag("--no-wait", options->no_wait, "do not wait for the end");
  commands.on(command, [options](Session& session) { return delete_release(session, *options); });
}

}  // namespace

void add_release_commands(CLI::App& program, Commands& commands) {
  CLI::App* release = add_noun(program, "release", "builds of the app, never changed once made");
  CLI::App* create = add_verb(*release, "create", "make a release of an app's folder");
  const auto options = std::make_shared<UploadOptions>();
  create->add_option("DIR", options->folder, "the folder with granary.yaml at its root")
      ->required()
      ->check(CLI::ExistingDirectory);
  create->add_option("--name", options->name,
                     "its name (default: made from the app and the contents)");
  create
      ->add_option("--include", options->include,
                   "a file of DIR that is to be in the release although it looks like a secret")
      ->allow_extra_args(false);
  create->add_flag("--new-app", options->new_app,
                   "take the release although this installation runs another app");
  commands.on(create, [options](Session& session) { return create_release(session, *options); });
  commands.on(add_verb(*release, "list", "releases, newest first"), list_releases);
  add_delete(*release, commands);
  CLI::App* show = add_verb(*release, "show", "one release and its manifest");
  const auto name = std::make_shared<std::string>();
  show->add_option("RELEASE", *name, "its name, its hash, or latest")->required();
  commands.on(show, [name](Session& session) { return show_release(session, *name); });
}

}  // namespace granary::cli

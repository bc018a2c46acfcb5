#include "api/wire/documents.h"
#include "cli/commands.h"
#include "cli/release_upload.h"
#include "cli/text.h"

// granary release ...
namespace granary::cli {

using api_wire::ReleaseDocument;
using api_wire::ReleaseList;
using base::Result;

namespace {

struct CreateOptions {
  std::string folder;
  std::string name;
};

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

Result<void> create_release(Session& session, const CreateOptions& options) {
  TRY_ASSIGN(const auto release, upload_release(session, options.folder, options.name));
  session.show(release, [&] { return facts_of(release); });
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
    if (release.manifest) text += "manifest: " + safe(base::json::print(*release.manifest)) + "\n";
    return text;
  });
  return {};
}

}  // namespace

void add_release_commands(CLI::App& program, Commands& commands) {
  CLI::App* release = add_noun(program, "release", "builds of the app, never changed once made");
  CLI::App* create = add_verb(*release, "create", "make a release of an app's folder");
  const auto options = std::make_shared<CreateOptions>();
  create->add_option("DIR", options->folder, "the folder with granary.yaml at its root")
      ->required()
      ->check(CLI::ExistingDirectory);
  create->add_option("--name", options->name, "its name; made from the app and the contents else");
  commands.on(create, [options](Session& session) { return create_release(session, *options); });
  commands.on(add_verb(*release, "list", "releases, newest first"), list_releases);
  CLI::App* show = add_verb(*release, "show", "one release and its manifest");
  const auto name = std::make_shared<std::string>();
  show->add_option("RELEASE", *name, "its name, its hash, or latest")->required();
  commands.on(show, [name](Session& session) { return show_release(session, *name); });
}

}  // namespace granary::cli

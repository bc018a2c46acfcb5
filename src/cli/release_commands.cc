#include "api/wire/documents.h"
#include "base/ids.h"
#include "base/os/file.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "wire/bundle.h"

// granary release ...
namespace granary::cli {

using api_wire::ReleaseDocument;
using api_wire::ReleaseList;
using base::Code;
using base::Result;

namespace {

struct CreateOptions {
  std::string folder;
  std::string name;
};

// A bundle on this machine, removed with the object.
class TemporaryBundle final {
 public:
  explicit TemporaryBundle(const Surroundings& surroundings)
      : path_(fmt::format("{}/granary-{}.tar.zst",
                          surroundings.environment("TMPDIR").value_or("/tmp"),
                          base::make_ulid(surroundings.clock.wall(), surroundings.rng))) {}
  ~TemporaryBundle() { (void)base::os::remove_file(path_); }
  TemporaryBundle(const TemporaryBundle&) = delete;
  TemporaryBundle& operator=(const TemporaryBundle&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
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
  if (!base::os::exists(options.folder + "/granary.yaml"))
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("there is no granary.yaml in {}", options.folder),
                                  "Give the folder whose root holds the app's manifest");
  const TemporaryBundle bundle(session.surroundings());
  TRY_ASSIGN(const wire::BundleInfo info, wire::pack(options.folder, bundle.path(), {}));
  session.tell(fmt::format("packed {} files, {} as {}", info.files, human_bytes(info.content_bytes),
                           human_bytes(info.bytes)));
  TRY_ASSIGN(const auto release,
             session.api().upload<ReleaseDocument>(
                 with_query(path_of({"v1", "releases"}), {{"name", options.name}}), bundle.path()));
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

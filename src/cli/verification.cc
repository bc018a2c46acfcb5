#include "cli/verification.h"

#include "base/ids.h"
#include "base/os/file.h"
#include "cli/release_upload.h"
#include "cli/text.h"

namespace granary::cli {

using api_wire::OperationDocument;
using base::Code;
using base::Result;

namespace {

constexpr std::size_t kLargestProgram = 64U << 20;
constexpr std::chrono::seconds kAttemptTime{30};  // its own deadline is 5 s; then the silo's wake
constexpr const char* kManifest =
    "app: granary-verify\n"
    "services:\n"
    "  attack:\n"
    "    command: [/app/granary-attack]\n"
    "    listen: fd\n"
    "    routes: [/]\n"
    "    health: /healthz\n"
    "    idle: 60s\n"
    "    limits: {memory: 256Mi, processes: 64}\n"
    "data: {quota: 64Mi}\n";

// A folder with the app in it, removed with the object.
class AttackFolder final {
 public:
  explicit AttackFolder(const std::string& path) : path_(path) {}
  ~AttackFolder() { (void)base::os::remove_tree(path_); }
  AttackFolder(const AttackFolder&) = delete;
  AttackFolder& operator=(const AttackFolder&) = delete;

  const std::string& path() const { return path_; }
  Result<void> fill(const std::string& program) const {
    auto bytes = base::os::read_file(program, kLargestProgram);
    if (!bytes)
      return base::fail_with_advice(Code::NotFound, "there is no " + program,
                                    "Install granary-attack beside granary, or name it: --program");
    TRY(base::os::make_folders(path_, 0700));
    TRY(base::os::replace_file(path_ + "/granary-attack", *bytes, 0755,
                               base::os::Durability::Cached));
    return base::os::replace_file(path_ + "/granary.yaml", kManifest, 0644,
                                  base::os::Durability::Cached);
  }

 private:
  std::string path_;
};

// One of the two, from its creation to its end.
class ThrowAway final {
 public:
  ThrowAway(Session& session, std::string id) : session_(session), id_(std::move(id)) {}
  // Whatever happened; a failure is told, and the tenant named, so that a person can see to it.
  ~ThrowAway() {
    if (!made_) return;
    api_wire::OffboardDocument wish;
    wish.retain = "0s";
    auto operation = session_.api().send<OperationDocument>(
        http::verb::post, path_of({"v1", "tenants", id_, "offboard"}), wish);
    if (operation) operation = session_.wait(std::move(*operation));
    if (!operation)
      session_.tell(fmt::format("{} could not be offboarded: {}", id_, operation.error().message));
  }
  ThrowAway(const ThrowAway&) = delete;
  ThrowAway& operator=(const ThrowAway&) = delete;

  Result<void> create(const std::string& release, const std::string& gateway) {
    api_wire::CreateTenantDocument wish;
    wish.id = id_;
    wish.name = "granary verify";
    wish.release = release;
    wish.labels = {{"purpose", "verify"}};
    TRY_ASSIGN(auto operation, session_.api().send<OperationDocument>(
                                   http::verb::post, path_of({"v1", "tenants"}), wish));
    made_ = true;
    TRY(session_.wait(std::move(operation)));
    TRY_ASSIGN(const auto tenant,
               session_.api().get<api_wire::TenantDocument>(path_of({"v1", "tenants", id_})));
    return find(tenant.url, gateway);
  }
  // The body of a 200.
  Result<std::string> ask(http::verb method, const std::string& target, std::string body = "") {
    HttpClient client(address_);
    HttpRequest request{.method = method, .target = target, .body = std::move(body)};
    request.host = host_;
    request.time = kAttemptTime;
    TRY_ASSIGN(HttpReply reply, client.send(request));
    if (reply.status == 200) return std::move(reply.body);
    return base::fail(Code::Unavailable, "{} answered {} to {}", id_, reply.status, target);
  }
  const std::string& id() const { return id_; }

 private:
  // Names below localhost lead to this machine, whatever its resolver knows (RFC 6761).
  Result<void> find(const std::string& url, const std::string& gateway) {
    TRY_ASSIGN(address_, parse_address(url.substr(0, url.find('/', url.find("://") + 3))));
    host_ = address_.port == "80" ? address_.host : address_.host + ":" + address_.port;
    if (!gateway.empty()) {
      TRY_ASSIGN(address_, parse_address(gateway));
    } else if (address_.host.ends_with(".localhost")) {
      address_.host = "127.0.0.1";
    }
    return {};
  }

  Session& session_;
  std::string id_;
  bool made_ = false;
  Address address_;
  std::string host_;
};

Result<std::vector<Attempt>> read_list(const std::string& text) {
  TRY_ASSIGN(const base::json::value document, base::json::parse(text, kMaxAnswerBytes));
  if (!document.is_array()) return base::fail(Code::Internal, "granary-attack gave no list");
  std::vector<Attempt> attempts;
  for (const base::json::value& item : document.get_array()) {
    if (!item.is_object()) continue;
    Attempt attempt;
    TRY_ASSIGN(attempt.name, base::json::get_string(item.get_object(), "name"));
    TRY_ASSIGN(attempt.topic, base::json::get_string(item.get_object(), "topic"));
    TRY_ASSIGN(attempt.what, base::json::get_string(item.get_object(), "what"));
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

// An attempt without an answer is not one that held: the silo died of it, or it hangs.
void try_one(ThrowAway& attacker, Attempt& attempt) {
  const auto answered =
      attacker.ask(http::verb::get, with_query("/attack/try", {{"name", attempt.name}}));
  const auto document = answered ? base::json::parse_object(*answered, kMaxAnswerBytes)
                                 : Result<base::json::object>(std::unexpected(answered.error()));
  const auto outcome = document ? base::json::get_string(*document, "outcome")
                                : Result<std::string>(std::unexpected(document.error()));
  attempt.outcome = outcome.value_or("unknown");
  attempt.answer =
      outcome ? base::json::get_string(*document, "answer").value_or("") : outcome.error().message;
}

Result<std::vector<Attempt>> run_attempts(Session& session, ThrowAway& attacker,
                                          ThrowAway& victim) {
  const std::string marker =
      base::make_ulid(session.now(), session.surroundings().rng);  // the victim's secret
  TRY(victim.ask(http::verb::post, "/attack/plant", marker));
  TRY(attacker.ask(http::verb::post, "/attack/know",
                   fmt::format("victim={}\nmarker={}\n", victim.id(), marker)));
  TRY_ASSIGN(const std::string list, attacker.ask(http::verb::get, "/attack/list"));
  TRY_ASSIGN(std::vector<Attempt> attempts, read_list(list));
  std::size_t done = 0;
  for (Attempt& attempt : attempts) {
    try_one(attacker, attempt);
    ++done;
    if (done % 25 == 0 || done == attempts.size())
      session.tell(fmt::format("{} of {} attempts made", done, attempts.size()));
  }
  TRY_ASSIGN(const std::string still, victim.ask(http::verb::get, "/attack/marker"));
  attempts.push_back({.name = "victim-keeps-its-data",
                      .topic = "files",
                      .what = "what the other account wrote is unchanged after all attempts",
                      .outcome = still == marker ? "held" : "broken",
                      .answer = still == marker ? "unchanged" : "changed"});
  return attempts;
}

}  // namespace

base::json::object to_json(const Attempt& attempt) {
  base::json::object document;
  document["name"] = attempt.name;
  document["topic"] = attempt.topic;
  document["what"] = attempt.what;
  document["outcome"] = attempt.outcome;
  document["answer"] = attempt.answer;
  return document;
}

Result<std::vector<Attempt>> attack(Session& session, const std::string& program,
                                    const std::string& gateway) {
  const Surroundings& surroundings = session.surroundings();
  session.api().http().hold_interrupts();  // so that the tenants go even then
  const std::string id = base::make_ulid(session.now(), surroundings.rng);
  const AttackFolder folder(
      fmt::format("{}/granary-verify-{}", surroundings.environment("TMPDIR").value_or("/tmp"), id));
  TRY(folder.fill(program));
  UploadOptions options;
  options.folder = folder.path();
  TRY_ASSIGN(const auto uploaded, upload_release(session, options));
  const std::string& release = uploaded.release.id;
  std::string suffix = id.substr(id.size() - 8);
  std::ranges::transform(suffix, suffix.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  ThrowAway victim(session, "verify-" + suffix + "-victim");
  ThrowAway attacker(session, "verify-" + suffix + "-attacker");
  TRY(victim.create(release, gateway));
  TRY(attacker.create(release, gateway));
  return run_attempts(session, attacker, victim);
}

}  // namespace granary::cli

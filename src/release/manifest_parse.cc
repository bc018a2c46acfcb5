#include <algorithm>
#include <array>

#include "release/manifest_document.h"
#include "release/manifest_values.h"
#include "wire/egress_policy.h"

namespace granary::release {
namespace {

using base::Result;

constexpr std::array<std::string_view, 6> kKeys = {"app",      "services", "data",
                                                   "frontend", "egress",   "secrets"};
constexpr std::array<std::string_view, 10> kAllKeys = {
    "app",       "services", "data",    "frontend", "functions",
    "schedules", "egress",   "secrets", "hooks",    "aws"};
constexpr std::array<std::string_view, 1> kDataKeys = {"quota"};
constexpr std::array<std::string_view, 2> kFrontendKeys = {"root", "fallback"};

// A key that is known but ignored would be worse than an error: the app would run without it.
Result<void> refuse_unbuilt(const Fields& fields) {
  for (const Fields::Member& member : fields.members()) {
    if (std::ranges::find(kKeys, member.key) != kKeys.end()) continue;
    return refuse(
        fields.place().file, member.key_mark, fmt::format("{} is not supported yet", member.key),
        fmt::format("Remove {} from the manifest until a version supports it", member.key),
        base::Code::NotSupported);
  }
  return {};
}

Result<std::string> parse_app(const Fields& fields) {
  TRY_ASSIGN(const Field* field, fields.require("app", "app: NAME"));
  TRY_ASSIGN(std::string app, field->text("a name", "Write a name, such as shop"));
  if (const std::string_view fault = name_fault(app); !fault.empty()) {
    return field->place().refuse(
        fmt::format("is not a valid name: {}", fault),
        "Use 1 to 31 of a-z, 0-9 and -, beginning with a letter, such as insight");
  }
  return app;
}

Result<std::uint64_t> parse_quota(const Fields& fields) {
  const Field* data = fields.find("data");
  if (data == nullptr) return kDefaultQuota;
  TRY_ASSIGN(const Fields members, Fields::of_known(*data, kDataKeys));
  TRY_ASSIGN(const Field* quota, members.require("quota", "quota: 1Gi"));
  return quota->size(kQuota);
}

Result<std::string> parse_path(const Field& field) {
  const std::string_view advice = "Write a path inside the app's folder, such as web";
  TRY_ASSIGN(std::string path, field.text("a path", advice));
  if (const std::string_view fault = file_path_fault(path); !fault.empty()) {
    return field.place().refuse(fmt::format("is not a valid path: {}", fault), std::string(advice));
  }
  return path;
}

Result<void> parse_frontend(const Field& field, ManifestDocument& document) {
  TRY_ASSIGN(const Fields members, Fields::of_known(field, kFrontendKeys));
  TRY_ASSIGN(const Field* root, members.require("root", "root: web"));
  Frontend frontend;
  TRY_ASSIGN(frontend.root, parse_path(*root));
  document.claims.push_back(
      {PathClaim::Kind::Folder, frontend.root, root->place().mark, root->place().name, ""});
  if (const Field* fallback = members.find("fallback")) {
    TRY_ASSIGN(frontend.fallback, parse_path(*fallback));
    document.claims.push_back({PathClaim::Kind::File, frontend.root + "/" + frontend.fallback,
                               fallback->place().mark, fallback->place().name, ""});
  }
  document.manifest.frontend = std::move(frontend);
  return {};
}

// The target that is meant by a URL, or by a host without a port; an example where none is.
std::string meant_target(std::string_view text) {
  const std::string_view port = text.starts_with("http://") ? ":80" : ":443";
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos)
    text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find_first_of("/?#"));
  for (const std::string& meant : {std::string(text), fmt::format("{}{}", text, port)}) {
    if (const auto target = wire::parse_egress_target(meant)) return wire::to_string(*target);
  }
  return "api.example.com:443";
}

Result<std::string> parse_target(const Field& field) {
  const std::string_view advice = "Write HOST:PORT with the name of one host, such as ";
  TRY_ASSIGN(const std::string text,
             field.text("HOST:PORT", std::string(advice) + "api.example.com:443"));
  const auto target = wire::parse_egress_target(text);
  if (target) return wire::to_string(*target);
  return field.place().refuse(target.error().message, std::string(advice) + meant_target(text));
}

Result<void> parse_egress(const Field& field, Manifest& manifest) {
  TRY_ASSIGN(const std::vector<Field> items, field.list(kMaxEgress));
  for (const Field& item : items) {
    TRY_ASSIGN(std::string target, parse_target(item));
    if (std::ranges::find(manifest.egress, target) != manifest.egress.end())
      return item.place().refuse("is named twice", "Remove one of the two");
    manifest.egress.push_back(std::move(target));
  }
  std::ranges::sort(manifest.egress);
  const auto taken = std::ranges::find(manifest.services, wire::kEgressPort, &Service::port);
  if (manifest.egress.empty() || taken == manifest.services.end()) return {};
  return field.place().refuse(
      fmt::format("needs port {} inside the silo, which service {} listens on", wire::kEgressPort,
                  taken->name),
      "Let the service listen on another port, or on fd");
}

Result<void> parse_secrets(const Field& field, Manifest& manifest) {
  TRY_ASSIGN(const std::vector<Field> items, field.list(kMaxSecrets));
  for (const Field& item : items) {
    const std::string_view advice = "Use A to Z, 0 to 9 and _, a letter first, such as STRIPE_KEY";
    TRY_ASSIGN(std::string name, item.text("a name", advice));
    const bool capital = !name.empty() && name.front() >= 'A' && name.front() <= 'Z';
    const bool plain = name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == name.npos;
    if (!capital || !plain || name.size() > 64)
      return item.place().refuse("is not a valid name of a secret", std::string(advice));
    if (std::ranges::find(manifest.secrets, name) != manifest.secrets.end())
      return item.place().refuse("is named twice", "Remove one of the two");
    manifest.secrets.push_back(std::move(name));
  }
  std::ranges::sort(manifest.secrets);
  return {};
}

}  // namespace

Result<ManifestDocument> parse_document(std::string_view yaml, std::string_view file_name,
                                        ManifestAge age) {
  TRY_ASSIGN(const YamlNode root, parse_yaml(yaml, file_name));
  const Field whole(root, Place{file_name, "", root.mark});
  TRY_ASSIGN(const Fields fields, Fields::of_known(whole, kAllKeys));
  TRY(refuse_unbuilt(fields));
  ManifestDocument document;
  document.age = age;
  TRY_ASSIGN(document.manifest.app, parse_app(fields));
  // A frontend alone is an app too.
  const Field* services = fields.find("services");
  if (services == nullptr && fields.find("frontend") == nullptr)
    return fields.place().refuse("has neither services nor a frontend",
                                 "Add `services:` with a service below it, or `frontend:` with "
                                 "`root: FOLDER` below it");
  if (services != nullptr) TRY(parse_services(*services, document));
  TRY_ASSIGN(document.manifest.quota_bytes, parse_quota(fields));
  if (const Field* frontend = fields.find("frontend")) TRY(parse_frontend(*frontend, document));
  if (const Field* egress = fields.find("egress")) TRY(parse_egress(*egress, document.manifest));
  if (const Field* secrets = fields.find("secrets"))
    TRY(parse_secrets(*secrets, document.manifest));
  return document;
}

Result<Manifest> parse_manifest(std::string_view yaml, std::string_view file_name) {
  TRY_ASSIGN(ManifestDocument document, parse_document(yaml, file_name, ManifestAge::New));
  return std::move(document.manifest);
}

}  // namespace granary::release

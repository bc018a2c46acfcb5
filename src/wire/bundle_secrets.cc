#include "wire/bundle_secrets.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "base/os/file.h"
#include "base/text.h"
#include "wire/bundle_limits.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;

constexpr std::string_view kEnvironment = "an environment file";
constexpr std::string_view kKey = "a private key";
constexpr std::string_view kLogin = "a login";

constexpr std::array<std::string_view, 4> kKeyNames = {"id_rsa", "id_ed25519", "id_ecdsa",
                                                       "id_dsa"};
constexpr std::array<std::string_view, 4> kKeyStores = {".p12", ".pfx", ".ppk", ".kdbx"};
constexpr std::array<std::string_view, 5> kLogins = {".netrc", "_netrc", ".pypirc", ".pgpass",
                                                     ".git-credentials"};
constexpr std::array<std::string_view, 3> kLoginPaths = {".aws/credentials", ".docker/config.json",
                                                         ".kube/config"};
// Written to be passed on: they say which variables there are.
constexpr std::array<std::string_view, 6> kExamples = {".example", ".sample",   ".template",
                                                       ".dist",    ".defaults", ".schema"};
constexpr std::array<std::string_view, 2> kPackageFolders = {"node_modules", "vendor"};

template <class Names>
bool ends_with_one(std::string_view text, const Names& endings) {
  return std::ranges::any_of(endings, [&](std::string_view end) { return text.ends_with(end); });
}

template <class Names>
bool is_one(std::string_view text, const Names& names) {
  return std::ranges::find(names, text) != names.end();
}

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool has_path_end(std::string_view path, std::string_view end) {
  return path == end || (path.ends_with(end) && path[path.size() - end.size() - 1] == '/');
}

// "-----BEGIN PRIVATE KEY-----", also RSA, EC, OPENSSH, ENCRYPTED, and PuTTY's and PGP's own.
bool begins_private_key(std::string_view line) {
  if (line.starts_with("PuTTY-User-Key-File-")) return true;
  if (!line.starts_with("-----BEGIN ")) return false;
  line = line.substr(0, line.find('\n'));
  return line.find("PRIVATE KEY") != std::string_view::npos;
}

bool holds_private_key(std::string_view content) {
  for (std::size_t at = 0; at < content.size();) {
    if (begins_private_key(content.substr(at))) return true;
    const std::size_t end = content.find('\n', at);
    if (end == std::string_view::npos) return false;
    at = end + 1;
  }
  return false;
}

// A token that is written out; `${NPM_TOKEN}` only says where it comes from.
bool holds_token(std::string_view content) {
  for (const auto part : std::views::split(content, '\n')) {
    const std::string_view line(part.begin(), part.end());
    for (const std::string_view key : {"_authToken=", "_auth=", "_password=", "npmAuthToken: "}) {
      const std::size_t at = line.find(key);
      if (at == std::string_view::npos || line.starts_with('#') || line.starts_with(';')) continue;
      const std::string_view value = line.substr(at + key.size());
      if (!value.empty() && value.find("${") == std::string_view::npos) return true;
    }
  }
  return false;
}

}  // namespace

std::string_view secret_name_fault(std::string_view path) {
  const std::string_view name = name_of(path);
  if (name == ".env" || (name.starts_with(".env.") && !ends_with_one(name, kExamples)))
    return kEnvironment;
  if (is_one(name, kKeyNames) || ends_with_one(name, kKeyStores)) return kKey;
  if (is_one(name, kLogins)) return kLogin;
  for (const std::string_view end : kLoginPaths) {
    if (has_path_end(path, end)) return kLogin;
  }
  return {};
}

std::string_view secret_content_fault(std::string_view path, std::string_view content) {
  const std::string_view name = name_of(path);
  if (begins_private_key(content)) return kKey;
  if (name.ends_with(".pem") || name.ends_with(".crt") || name.ends_with(".cer"))
    return holds_private_key(content) ? kKey : std::string_view();
  // Whatever its form, but for what says that it is public, and for Keynote's (a zip file).
  if (name.ends_with(".key")) {
    const bool is_public = content.starts_with("-----BEGIN ") && !holds_private_key(content);
    return content.empty() || is_public || content.starts_with("PK\x03\x04") ? std::string_view()
                                                                             : kKey;
  }
  if (name == ".npmrc" || name == ".yarnrc" || name == ".yarnrc.yml")
    return holds_token(content) ? kLogin : std::string_view();
  // A cloud's service account.
  const bool account = name.ends_with(".json") &&
                       content.find("\"private_key\"") != std::string_view::npos &&
                       content.find("-----BEGIN PRIVATE KEY") != std::string_view::npos;
  return account ? kKey : std::string_view();
}

SecretFiles::SecretFiles(const std::vector<std::string>& asked_for) {
  for (std::string_view path : asked_for) {
    while (path.starts_with("./")) path.remove_prefix(2);
    asked_for_.emplace(path);
  }
  missing_ = asked_for_;
}

Result<void> SecretFiles::look(const BundleEntry& entry, int content) {
  if (entry.kind == EntryKind::Folder && entry.path.ends_with(".dist-info")) {
    const std::size_t slash = entry.path.rfind('/');
    // At the root it is no folder of packages, but the app itself.
    if (slash != std::string::npos) package_roots_.insert(entry.path.substr(0, slash + 1));
  }
  if (entry.kind != EntryKind::File) return {};
  missing_.erase(entry.path);
  if (asked_for_.contains(entry.path) || among_packages(entry.path) ||
      found_.size() == kMaxSecretsFound)
    return {};
  std::string_view reason = secret_name_fault(entry.path);
  if (reason.empty() && entry.size <= kSecretLook) {
    TRY_ASSIGN(const std::string bytes, base::os::read_at(content, 0, entry.size));
    reason = secret_content_fault(entry.path, bytes);
  }
  if (!reason.empty()) found_.push_back({entry.path, reason});
  return {};
}

bool SecretFiles::among_packages(std::string_view path) const {
  for (std::string_view rest = path;;) {
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) break;
    if (is_one(rest.substr(0, slash), kPackageFolders)) return true;
    rest.remove_prefix(slash + 1);
  }
  return std::ranges::any_of(package_roots_,
                             [&](const std::string& root) { return path.starts_with(root); });
}

Result<void> SecretFiles::verdict() const {
  if (!missing_.empty()) {
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("{} was to be included, but is not a file of the release",
                    base::quote(*missing_.begin())),
        "Name a file by its path in the app's folder; is it listed in .granaryignore?");
  }
  std::string names;
  std::string first;
  std::size_t count = 0;
  for (const Found& found : found_) {
    // Packages are known by a folder that the walk may have met after them.
    if (among_packages(found.path) || ++count > kMaxSecretsNamed) continue;
    if (first.empty()) first = found.path;
    names +=
        fmt::format("{}{} ({})", names.empty() ? "" : ", ", base::quote(found.path), found.reason);
  }
  if (count == 0) return {};
  if (count > kMaxSecretsNamed) names += fmt::format(" and {} more", count - kMaxSecretsNamed);
  return base::fail_with_advice(
      Code::Refused, fmt::format("the folder holds what looks like a secret: {}", names),
      fmt::format("List it in .granaryignore, and give its values to tenants with granary secret "
                  "set NAME; if the release must hold it: --include {}",
                  first));
}

}  // namespace granary::wire

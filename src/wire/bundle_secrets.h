// Files of an app's folder that most likely hold a secret: an environment file, a private key, a
// registry's token. They are refused unless they were asked for, since a release is kept, copied to
// every machine, and readable by all who may read releases. Judged by name, and by content where a
// name says too little. What lies among installed dependencies (node_modules, vendor, a folder with
// installed Python packages) came from a public registry and is not judged: packages bring test
// keys along. Used by pack(); owned by one thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/bundle_entry.h"

namespace granary::wire {

// The reason to think that the file is a secret by its name alone, or nothing.
std::string_view secret_name_fault(std::string_view path);
// The same by its first bytes (kSecretLook at most).
std::string_view secret_content_fault(std::string_view path, std::string_view content);

class SecretFiles final {
 public:
  // Paths that may be packed whatever they hold.
  explicit SecretFiles(const std::vector<std::string>& asked_for);

  // Each entry that is packed, in the order of the walk. `content` is read, but not moved on.
  base::Result<void> look(const BundleEntry& entry, int content);
  // The ignore file takes this one by name: it was asked for.
  void ask_for(const std::string& path) { asked_for_.insert(path); }
  // After the last entry. Errors: Refused, naming the files; InvalidArgument when one that was
  // asked for was not among them.
  base::Result<void> verdict() const;

 private:
  struct Found {
    std::string path;
    std::string_view reason;
  };
  bool among_packages(std::string_view path) const;

  std::set<std::string> asked_for_;
  std::set<std::string> missing_;  // of those given at the start, until they are seen
  std::vector<Found> found_;       // at most kMaxSecretsFound
  std::set<std::string>
      package_roots_;  // folders with installed Python packages, each with a slash
};

}  // namespace granary::wire

// What of an app's folder becomes its bundle: leaves out what the rules name (bundle_ignore.h) and
// Python's virtual environments, counts what it left out, and refuses secrets (bundle_secrets.h).
// For pack(); owned by one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/os/folder.h"
#include "base/result.h"
#include "wire/bundle.h"
#include "wire/bundle_ignore.h"
#include "wire/bundle_secrets.h"

namespace granary::wire {

class AppFilter final {
 public:
  // Reads the ignore file at the folder's root, if there is one. Errors: as IgnoreRules::add.
  static base::Result<AppFilter> open(const base::os::Folder& root,
                                      const std::vector<std::string>& include);

  // A TreeFilter. Errors: of the system.
  base::Result<bool> leaves_out(const base::os::Folder& parent, const BundleEntry& entry);
  // Each entry that is packed; `content` stays where it is.
  base::Result<void> look(const BundleEntry& entry, int content);
  // After the walk. Errors: as SecretFiles::verdict.
  base::Result<std::vector<LeftOut>> finish() const;

 private:
  AppFilter(IgnoreRules rules, const std::vector<std::string>& include)
      : rules_(std::move(rules)), secrets_(include) {}
  void count(const BundleEntry& entry, const IgnoreRules::Rule& rule);

  IgnoreRules rules_;
  SecretFiles secrets_;
  // By line of the ignore file and text, so that defaults come first.
  std::map<std::pair<std::size_t, std::string>, LeftOut> left_out_;
};

}  // namespace granary::wire

// Whether a domain carries a token: declared by lifecycle, which proves domains by it; app asks the
// network, tests use a fake.
#pragma once

#include <string>
#include <vector>

#include "base/async.h"
#include "base/result.h"

namespace granary::lifecycle {

class DomainChecker {
 public:
  virtual ~DomainChecker() = default;
  // The TXT records at this name, each as one text. None: an empty list. Errors: Unavailable.
  virtual base::Task<base::Result<std::vector<std::string>>> txt(std::string name) = 0;
  // What http://DOMAIN/PATH answers with 200, at most 1 KiB of it; public addresses only, no
  // redirections. Errors: Unavailable with what was found instead.
  virtual base::Task<base::Result<std::string>> get(std::string domain, std::string path) = 0;
};

// Where the token is looked for: a TXT record at kTxtLabel.DOMAIN, or a file at kHttpPath.
inline constexpr const char* kTxtLabel = "_granary";
inline constexpr const char* kHttpPath = "/.well-known/granary/domain-token";

}  // namespace granary::lifecycle

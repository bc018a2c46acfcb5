// Asks the network whether a domain carries a token: TXT records of DNS through the machine's own
// name servers, and a small HTTP GET to the domain's public addresses. Lives on control's executor.
#pragma once

#include "base/worker.h"
#include "lifecycle/domain_checker.h"

namespace granary::app {

class NetworkDomains final : public lifecycle::DomainChecker {
 public:
  // Outlives this; each lookup takes one of its threads while it waits.
  explicit NetworkDomains(base::Worker& worker) : worker_(worker) {}

  base::Task<base::Result<std::vector<std::string>>> txt(std::string name) override;
  base::Task<base::Result<std::string>> get(std::string domain, std::string path) override;

 private:
  base::Worker& worker_;
};

// Exposed for tests. The TXT records in an answer of DNS (RFC 1035), each as one text. Errors:
// Unavailable when it is none.
base::Result<std::vector<std::string>> parse_txt_answer(std::string_view message);
// The body of a complete HTTP/1.x answer whose status is 200. Errors: Unavailable, with what it is.
base::Result<std::string> parse_small_answer(std::string_view bytes);

}  // namespace granary::app

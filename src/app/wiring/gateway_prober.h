// Asks an account's health path through the gateway, as a customer's browser would: one small
// HTTP/1.1 request on a connection of its own. Lives on control's executor.
#pragma once

#include "app/config.h"
#include "lifecycle/lifecycle.h"

namespace granary::app {

class GatewayProber final : public lifecycle::Prober {
 public:
  explicit GatewayProber(const Config& config) : gateway_(config.gateway), domain_(config.domain) {}

  base::Task<base::Result<void>> probe(base::AccountId account, std::string path) override;
  base::Task<base::Result<Answer>> reach(base::AccountId account, std::string path) override;

 private:
  base::Task<base::Result<int>> status_of(base::AccountId account, std::string path);
  Endpoint gateway_;
  std::string domain_;
};

// The status of the answer to this request. Errors: Unavailable, Deadline.
base::Task<base::Result<int>> http_status(Endpoint where, std::string request,
                                          std::chrono::nanoseconds deadline);
// The same over a unix socket.
base::Task<base::Result<int>> http_status_of_socket(std::string path, std::string request,
                                                    std::chrono::nanoseconds deadline);
// Whether it comes from the app, and not from a gateway that could not get one.
bool is_of_app(int status);
// Whether the gateway had a connection to the app, and got no answer that it could give on.
bool is_broken_off(int status);
// The status of an answer's first line. Errors: Unavailable when it is none.
base::Result<int> parse_status(std::string_view head);

}  // namespace granary::app

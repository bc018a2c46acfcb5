#include "egress/resolver.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "egress/limits.h"

namespace granary::egress {

using base::Code;
using base::Result;
using base::Task;

Result<Addresses> look_up(const std::string& host) {
  base::asio::io_context own(1);
  base::asio::ip::tcp::resolver resolver(own);
  base::ErrorCode error;
  const auto found = resolver.resolve(host, "", error);
  Addresses addresses;
  for (const auto& entry : found) {
    const Address address = unmapped(entry.endpoint().address());
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  if (error == base::asio::error::host_not_found || error == base::asio::error::no_data)
    return base::fail(Code::NotFound, "there is no host {}", host);
  if (error || addresses.empty())
    return base::fail(Code::Unavailable, "looking up {}: {}", host, error.message());
  return addresses;
}

struct SharedResolver::Shared {
  explicit Shared(const base::asio::any_io_executor& executor) : done(executor) {}
  std::optional<Result<Addresses>> result;
  base::Event done;
};

SharedResolver::SharedResolver(base::asio::any_io_executor executor, base::Worker& worker,
                               Lookup lookup)
    : executor_(executor),
      worker_(worker),
      lookup_(std::move(lookup)),
      tasks_(std::move(executor)) {}

Task<Result<Addresses>> SharedResolver::resolve(std::string host) {
  std::shared_ptr<Shared> shared;
  if (const auto running = running_.find(host); running != running_.end()) {
    shared = running->second;
  } else {
    if (running_.size() >= kLookupsAll)
      co_return base::fail(Code::Exhausted, "too many names are looked up at once");
    shared = std::make_shared<Shared>(executor_);
    running_[host] = shared;
    if (!tasks_.spawn("look up", run(host, shared))) {
      running_.erase(host);
      co_return base::fail(Code::Cancelled, "the proxy is stopping");
    }
  }
  while (!shared->result) CO_TRY(co_await shared->done.wait());
  co_return *shared->result;
}

Task<void> SharedResolver::run(std::string host, std::shared_ptr<Shared> shared) {
  shared->result = co_await base::run_on(worker_, [this, host] { return lookup_(host); });
  running_.erase(host);
  shared->done.notify_all();
}

Task<void> SharedResolver::close() { co_await tasks_.close(); }

}  // namespace granary::egress

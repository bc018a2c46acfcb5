// The only way out of silos: takes CONNECT requests on one unix socket that silos see when their
// release declares egress, learns from the kernel whose they are, and connects them to what the
// policy allows. Owned by the egress role's main, or by a test; lives on one executor of one
// thread. Reads nothing but the policy, keeps nothing but logs and usage; needs no other role.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <optional>
#include <vector>

#include "base/os/fd.h"
#include "base/task_group.h"
#include "egress/session.h"

namespace granary::egress {

struct ProxyOptions {
  wire::Paths paths;
  std::uint32_t uid_base = 0;    // of accounts: the user is uid_base + ordinal
  std::vector<Network> allowed;  // that an operator permits, although they are not global
  // The user of control, which asks whether the role answers; not an account's.
  std::optional<std::uint32_t> control_uid = std::nullopt;
};

struct ProxyParts {  // all outlive the proxy
  base::asio::any_io_executor executor;
  const base::Clock& clock;
  base::Timer& timer;
  base::Worker& worker;  // for files
  Resolver& resolver;
  // Whether an address is one of this machine.
  std::function<bool(const Address&)> own_address;
};

// How it is, for metrics.
struct Reading {
  Counters counters;
  std::size_t connections = 0;  // open
  std::size_t accounts = 0;     // that may connect to the outside
  std::uint64_t lines_dropped = 0;
  bool has_policy = false;
  bool stopping = false;
};

class Proxy final {
 public:
  Proxy(ProxyOptions options, ProxyParts parts);
  ~Proxy();  // close() must have completed
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // `listener`: a listening unix stream socket. The policy that is there is in force when this
  // resolves. Errors: the usage cannot be read.
  base::Task<base::Result<void>> start(base::os::Fd listener);
  // Cuts what is open, writes logs and usage. Idempotent.
  base::Task<void> close();

  std::size_t connections() const { return connections_; }
  Reading reading() const;

 private:
  using Protocol = base::asio::local::stream_protocol;

  void apply(const wire::EgressPolicy& policy);
  base::Task<void> accept();
  base::Task<void> serve(ClientSocket client);
  base::Task<void> refuse_stranger(ClientSocket& client, std::uint32_t uid);

  ProxyOptions options_;
  ProxyParts parts_;
  UsageBook usage_;
  EgressLog log_;
  Accounts accounts_;
  PolicyWatcher policy_;
  Core core_;
  std::optional<Protocol::acceptor> acceptor_;
  // Safety: the sockets that serve() holds; at most kConnectionsAll.
  std::size_t connections_ = 0;
  std::optional<base::BootTime> told_of_stranger_;
  bool has_policy_ = false;
  base::TaskGroup tasks_;
};

}  // namespace granary::egress

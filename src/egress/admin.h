// What the egress role says of itself over plain HTTP: /healthz, /readyz, /metrics in Prometheus'
// text format. For an address that only the operator reaches; one request a connection. Owned by
// the egress role's main; one executor of one thread. Apps never reach it: their requests name
// hosts, and this machine's own addresses are none that they may connect to.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/os/fd.h"
#include "base/task_group.h"
#include "egress/proxy.h"

namespace granary::egress {

struct AdminAnswer {
  int status = 0;
  std::string body;
};
// `head`: everything up to the empty line. Pure.
AdminAnswer answer_admin(const Reading& reading, std::string_view head);

class Admin final {
 public:
  // Both outlive this.
  Admin(const Proxy& proxy, base::Timer& timer, base::asio::any_io_executor executor);

  // `listener` listens for TCP. Errors: InvalidArgument for anything else.
  base::Result<void> start(base::os::Fd listener);
  // Nothing before start().
  std::optional<std::uint16_t> port() const;
  base::Task<void> close();

 private:
  using Tcp = base::asio::ip::tcp;
  base::Task<void> accept();
  base::Task<void> serve(Tcp::socket client);

  const Proxy& proxy_;
  base::Timer& timer_;
  base::asio::any_io_executor executor_;
  std::optional<Tcp::acceptor> acceptor_;
  std::size_t connections_ = 0;  // at most kAdminConnections
  base::TaskGroup tasks_;
};

}  // namespace granary::egress

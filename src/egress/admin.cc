#include "egress/admin.h"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <iterator>

#include "base/log.h"
#include "base/os/tcp_listener.h"
#include "egress/deadline.h"
#include "egress/limits.h"

namespace granary::egress {

namespace asio = base::asio;
using base::ErrorCode;
using base::Result;
using base::Task;

namespace {

struct Metric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::uint64_t value = 0;
};

void add(std::string& into, const Metric& metric) {
  fmt::format_to(std::back_inserter(into),
                 "# HELP granary_egress_{0} {1}\n# TYPE granary_egress_{0} {2}\n"
                 "granary_egress_{0} {3}\n",
                 metric.name, metric.help, metric.type, metric.value);
}

std::string metrics(const Reading& reading) {
  const Counters& counters = reading.counters;
  std::string text;
  for (const Metric& metric : {
           Metric{"connections", "gauge", "Connections of apps that are open.",
                  reading.connections},
           Metric{"connections_total", "counter", "Connections of apps taken.", counters.accepted},
           Metric{"connections_refused_total", "counter", "Closed at once, over the bound of all.",
                  counters.over_bound},
           Metric{"strangers_total", "counter",
                  "Connections of users that are no account that may connect.", counters.strangers},
           Metric{"bytes_up_total", "counter", "Bytes from apps to the outside.",
                  counters.bytes_up},
           Metric{"bytes_down_total", "counter", "Bytes from the outside to apps.",
                  counters.bytes_down},
           Metric{"lookups_total", "counter", "Names asked for.", counters.lookups},
           Metric{"lookups_failed_total", "counter", "Names that nobody answered for.",
                  counters.lookups_failed},
           Metric{"log_lines_dropped_total", "counter",
                  "Lines of logs that the disk was too slow for, or an account wrote too many of.",
                  reading.lines_dropped},
           Metric{"accounts", "gauge", "Accounts that may connect to the outside.",
                  reading.accounts},
       })
    add(text, metric);
  text +=
      "# HELP granary_egress_ended_total Connections that ended, by how; what was refused too.\n"
      "# TYPE granary_egress_ended_total counter\n";
  for (std::size_t i = 0; i < kOutcomes; ++i)
    fmt::format_to(std::back_inserter(text), "granary_egress_ended_total{{outcome=\"{}\"}} {}\n",
                   to_string(static_cast<Outcome>(i)), counters.ended[i]);
  return text;
}

std::string_view phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

// Resolves to false when there was nothing to answer.
Task<bool> answer_on(asio::ip::tcp::socket& client, const Proxy& proxy) {
  std::string head;
  ErrorCode error;
  const std::size_t size = co_await asio::async_read_until(
      client, asio::dynamic_buffer(head, kAdminHead), "\r\n\r\n", base::into(error));
  if (error) co_return false;
  const AdminAnswer answer = answer_admin(proxy.reading(), std::string_view(head).substr(0, size));
  const std::string whole = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      answer.status, phrase(answer.status), answer.body.size(), answer.body);
  co_await asio::async_write(client, asio::buffer(whole), base::into(error));
  co_return !error;
}

}  // namespace

AdminAnswer answer_admin(const Reading& reading, std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t space = line.find(' ');
  const std::size_t end = line.rfind(' ');
  if (space == std::string_view::npos || !line.substr(end).starts_with(" HTTP/1."))
    return {400, "This is no HTTP.\n"};
  if (line.substr(0, space) != "GET") return {405, "Only GET is answered here.\n"};
  const std::string_view path = line.substr(space + 1, end - space - 1);
  if (path == "/healthz") return {200, "ok\n"};
  if (path == "/readyz" && reading.stopping) return {503, "stopping\n"};
  if (path == "/readyz" && !reading.has_policy) return {503, "no egress policy yet\n"};
  if (path == "/readyz") return {200, "ready\n"};
  if (path == "/metrics") return {200, metrics(reading)};
  return {404, "There is /healthz, /readyz and /metrics.\n"};
}

Admin::Admin(const Proxy& proxy, base::Timer& timer, base::asio::any_io_executor executor)
    : proxy_(proxy), timer_(timer), executor_(executor), tasks_(std::move(executor)) {}

Result<void> Admin::start(base::os::Fd listener) {
  TRY_ASSIGN(const auto version, base::os::tcp_listener_version(listener.get()));
  acceptor_.emplace(executor_, version == base::os::IpVersion::V4 ? Tcp::v4() : Tcp::v6(),
                    listener.release());
  tasks_.spawn("accept", accept());
  return {};
}

std::optional<std::uint16_t> Admin::port() const {
  if (!acceptor_) return std::nullopt;
  ErrorCode ignored;
  return acceptor_->local_endpoint(ignored).port();
}

Task<void> Admin::accept() {
  for (;;) {
    ErrorCode error;
    Tcp::socket client(executor_);
    co_await acceptor_->async_accept(client, base::into(error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      base::log::warn("accepting a connection for metrics: {}", error.message());
      if (!co_await timer_.sleep(kAcceptPause)) co_return;
      continue;
    }
    if (connections_ >= kAdminConnections) continue;  // closed by its destruction
    tasks_.spawn("metrics", serve(std::move(client)));
  }
}

Task<void> Admin::serve(Tcp::socket client) {
  ++connections_;
  (void)co_await within(timer_, kAdminDeadline, answer_on(client, proxy_));
  --connections_;
}

Task<void> Admin::close() {
  if (acceptor_) {
    ErrorCode ignored;
    acceptor_->close(ignored);
  }
  co_await tasks_.close();
  acceptor_.reset();
}

}  // namespace granary::egress

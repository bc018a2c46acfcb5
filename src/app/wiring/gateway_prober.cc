#include "app/wiring/gateway_prober.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "app/limits.h"
#include "base/os/unix_socket.h"

namespace granary::app {

using base::Code;
using base::ErrorCode;
using base::Result;
using base::Task;
using base::asio::ip::tcp;

Result<int> parse_status(std::string_view head) {
  int status = 0;
  const bool long_enough = head.size() >= 12 && head.starts_with("HTTP/1.1 ");
  if (long_enough) std::from_chars(head.data() + 9, head.data() + 12, status);
  if (status < 100) return base::fail(Code::Unavailable, "the answer is not HTTP");
  return status;
}

namespace {

template <class Socket>
Task<Result<int>> exchange(Socket& socket, std::string request) {
  ErrorCode error;
  co_await base::asio::async_write(socket, base::asio::buffer(request), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "sending a request"));
  std::string head;
  co_await base::asio::async_read_until(socket, base::asio::dynamic_buffer(head, kMaxProbeHead),
                                        "\r\n", base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "reading the answer"));
  co_return parse_status(head);
}

Task<Result<int>> ask_socket(std::string path, std::string request) {
  CO_TRY_ASSIGN(base::os::UnixConnection connection, base::os::connect_unix(path));
  if (connection.outcome != base::os::Connecting::Done)
    co_return base::fail(Code::Unavailable, "nobody listens at its socket");
  base::asio::local::stream_protocol::socket socket(co_await base::asio::this_coro::executor);
  ErrorCode error;
  socket.assign(base::asio::local::stream_protocol(), connection.fd.get(), error);
  if (error) co_return std::unexpected(base::from_asio(error, "connecting to its socket"));
  connection.fd.release();
  co_return co_await exchange(socket, std::move(request));
}

Task<Result<int>> ask(Endpoint gateway, std::string request) {
  ErrorCode error;
  const auto address = base::asio::ip::make_address(gateway.address, error);
  if (error) co_return std::unexpected(base::from_asio(error, "the gateway's address"));
  tcp::socket socket(co_await base::asio::this_coro::executor);
  co_await socket.async_connect(tcp::endpoint(address, gateway.port), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "connecting to the gateway"));
  co_return co_await exchange(socket, std::move(request));
}

Task<Result<int>> give_up_after(std::chrono::nanoseconds deadline) {
  base::asio::steady_timer timer(co_await base::asio::this_coro::executor);
  timer.expires_after(deadline);
  ErrorCode error;
  co_await timer.async_wait(base::into(error));
  co_return base::fail(
      Code::Deadline, "there was no answer in {}",
      base::format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(deadline)));
}

}  // namespace

Task<Result<int>> http_status(Endpoint where, std::string request,
                              std::chrono::nanoseconds deadline) {
  using base::asio::experimental::awaitable_operators::operator||;
  const auto first =
      co_await (ask(std::move(where), std::move(request)) || give_up_after(deadline));
  co_return std::visit([](const auto& value) { return Result<int>(value); }, first);
}

Task<Result<int>> http_status_of_socket(std::string path, std::string request,
                                        std::chrono::nanoseconds deadline) {
  using base::asio::experimental::awaitable_operators::operator||;
  const auto first =
      co_await (ask_socket(std::move(path), std::move(request)) || give_up_after(deadline));
  co_return std::visit([](const auto& value) { return Result<int>(value); }, first);
}

bool is_of_app(int status) { return status != 502 && status != 503 && status != 504; }

// 503: it does not start, or takes no connection.
bool is_broken_off(int status) { return status == 502 || status == 504; }

Task<Result<int>> GatewayProber::status_of(base::AccountId account, std::string path) {
  std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}.{}\r\nUser-Agent: granary-check\r\nAccept: */*\r\n"
      "Connection: close\r\n\r\n",
      path, account.value, domain_);
  co_return co_await http_status(gateway_, std::move(request), kProbeDeadline);
}

Task<Result<void>> GatewayProber::probe(base::AccountId account, std::string path) {
  CO_TRY_ASSIGN(const int status, co_await status_of(account, path));
  if (status >= 200 && status < 300) co_return Result<void>();
  co_return base::fail_with_advice(Code::Unavailable,
                                   fmt::format("{} answered {} instead of 2xx", path, status),
                                   fmt::format("See granary tenant logs {}", account.value));
}

Task<Result<lifecycle::Prober::Answer>> GatewayProber::reach(base::AccountId account,
                                                             std::string path) {
  CO_TRY_ASSIGN(const int status, co_await status_of(account, path));
  if (is_of_app(status)) co_return Answer::OfApp;
  if (is_broken_off(status)) co_return Answer::BrokenOff;
  co_return base::fail_with_advice(
      Code::Unavailable,
      fmt::format("the service at {} does not serve: the gateway answered {}", path, status),
      fmt::format("See granary tenant show {0} and granary tenant logs {0}", account.value));
}

}  // namespace granary::app

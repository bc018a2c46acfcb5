#include "api/server.h"

#include "api/limits.h"
#include "api/session.h"
#include "base/log.h"

namespace granary::api {

using base::Code;
using base::ErrorCode;
using base::into;
using base::Result;
using base::Task;
using base::asio::ip::tcp;

namespace {

// Descriptors or memory may be short for a moment: accepting again at once would spin.
constexpr std::chrono::milliseconds kAcceptPause{100};

base::Failure cannot_listen(const ErrorCode& error, const Options& options) {
  const std::string message = fmt::format("the API cannot listen on {}:{}: {}", options.address,
                                          options.port, error.message());
  if (error == base::asio::error::address_in_use)
    return base::fail_with_advice(Code::Conflict, message,
                                  "Stop what listens there, or choose another with --api");
  return base::fail(Code::Refused, "{}", message);
}

}  // namespace

Server::Server(base::asio::any_io_executor executor, Options options, Parts parts)
    : options_(std::move(options)),
      parts_(parts),
      authenticator_(parts_.store, parts_.clock),
      feed_(executor, base::make_ulid(parts_.clock.wall(), parts_.rng), kKeptEvents),
      context_{options_, parts_, authenticator_, feed_, metrics_},
      acceptor_(executor),
      left_(executor),
      tasks_(executor) {}

Server::~Server() = default;

Result<void> Server::listen() {
  TRY(clear_uploads(options_.upload_folder));
  ErrorCode error;
  const auto address = base::asio::ip::make_address(options_.address, error);
  if (error)
    return base::fail(Code::InvalidArgument, "'{}' is not a valid IP address for the API",
                      options_.address);
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(base::asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(error, options_);
  return {};
}

std::uint16_t Server::port() const { return acceptor_.local_endpoint().port(); }

Task<Result<void>> Server::run() {
  if (!acceptor_.is_open() && !tasks_.closing())
    co_return base::fail(Code::Internal, "the API was not told to listen");
  while (!tasks_.closing()) {
    if (tasks_.size() >= kMaxConnections) {
      CO_TRY(co_await left_.wait());
      continue;
    }
    ErrorCode error;
    tcp::socket socket = co_await acceptor_.async_accept(into(error));
    if (tasks_.closing()) break;
    if (error) {
      base::log::warn("the API cannot accept a connection: {}", error.message());
      CO_TRY(co_await parts_.timer.sleep(kAcceptPause));
      continue;
    }
    tasks_.spawn("api connection", serve(std::move(socket)));
  }
  co_return Result<void>();
}

Task<void> Server::serve(tcp::socket socket) {
  ErrorCode ignored;  // only slower without it
  socket.set_option(tcp::no_delay(true), ignored);
  Session session(context_, std::move(socket));
  const auto leave = [this](Session* gone) {
    sessions_.erase(gone);
    metrics_.connections = sessions_.size();
    left_.notify_all();
  };
  const std::unique_ptr<Session, decltype(leave)> member(&session, leave);
  sessions_.insert(&session);
  metrics_.connections = sessions_.size();
  co_await session.run();
}

Task<void> Server::close() {
  ErrorCode ignored;  // it is closed either way
  acceptor_.close(ignored);
  for (Session* session : sessions_) session->abort();
  co_await tasks_.close();
  left_.notify_all();
}

void Server::on_operation(const operation::Operation& operation) {
  feed_.changed(operation);
  if (operation::is_final(operation.state))
    ++metrics_.operations_ended[std::string(operation::to_string(operation.state))];
}

}  // namespace granary::api

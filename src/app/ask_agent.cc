#include "app/ask_agent.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/os/system.h"
#include "base/os/unix_socket.h"
#include "wire/agent_protocol.h"

namespace granary::app {

using base::Code;
using base::ErrorCode;
using base::Result;
using base::Task;

namespace {

Task<Result<void>> ask(std::string path) {
  CO_TRY_ASSIGN(base::os::UnixConnection connection, base::os::connect_unix(path));
  if (connection.outcome != base::os::Connecting::Done)
    co_return base::fail(Code::Unavailable, "nobody listens at its socket");
  base::asio::local::stream_protocol::socket socket(co_await base::asio::this_coro::executor);
  ErrorCode error;
  socket.assign(base::asio::local::stream_protocol(), connection.fd.get(), error);
  if (error) co_return std::unexpected(base::from_asio(error, "asking the agent"));
  connection.fd.release();
  const std::string request = wire::encode_request({.id = 1, .verb = wire::Verb::Ping});
  co_await base::asio::async_write(socket, base::asio::buffer(request), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "asking the agent"));
  std::string head(wire::kFrameHead, '\0');
  co_await base::asio::async_read(socket, base::asio::buffer(head), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "hearing the agent"));
  co_return Result<void>();
}

Task<Result<void>> give_up(std::chrono::nanoseconds deadline) {
  base::os::AsioTimer timer;
  CO_TRY(co_await timer.sleep(deadline));
  co_return base::fail(
      Code::Deadline, "no answer within {}",
      base::format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(deadline)));
}

}  // namespace

Task<Result<void>> ask_agent(std::string socket, std::chrono::nanoseconds deadline) {
  using base::asio::experimental::awaitable_operators::operator||;
  const auto first = co_await (ask(std::move(socket)) || give_up(deadline));
  co_return std::visit([](const auto& outcome) { return outcome; }, first);
}

}  // namespace granary::app

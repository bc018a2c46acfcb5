#include "gateway/testing/fake_agent.h"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"
#include "base/os/file.h"
#include "gateway/testing/pieces.h"

namespace granary::gateway::testing {

namespace asio = base::asio;

FakeAgent::FakeAgent(asio::io_context& context, std::string path)
    : context_(context),
      path_(std::move(path)),
      tasks_(context.get_executor()),
      released_(context.get_executor()),
      activate_([](const base::ServiceId&) { return refuse(base::Code::NotFound); }) {}

FakeAgent::Activation FakeAgent::refuse(base::Code code, std::int64_t retry_after_ms) {
  return std::unexpected(wire::AgentError{{code, "as the test says", {}, {}}, retry_after_ms});
}

void FakeAgent::start() {
  ASSERT(base::os::remove_file(path_).has_value());
  acceptor_ = std::make_unique<Local::acceptor>(context_, Local::endpoint(path_));
  tasks_.spawn("agent accept", accept());
}

void FakeAgent::die() {
  acceptor_->close();
  for (const auto& weak : sockets_)
    if (const auto socket = weak.lock()) socket->close();
  sockets_.clear();
}

base::Task<void> FakeAgent::stop() {
  release();
  co_await tasks_.close();
}

void FakeAgent::release() {
  held_ = false;
  released_.notify_all();
}

base::Task<void> FakeAgent::accept() {
  Local::acceptor& acceptor = *acceptor_;
  for (;;) {
    auto socket = std::make_shared<Local::socket>(context_);
    base::ErrorCode error;
    co_await acceptor.async_accept(*socket, base::into(error));
    if (error) co_return;
    sockets_.push_back(socket);
    tasks_.spawn("agent connection", serve(socket));
  }
}

base::Task<void> FakeAgent::serve(std::shared_ptr<Local::socket> socket) {
  base::ErrorCode error;
  for (;;) {
    std::string frame(wire::kFrameHead, '\0');
    co_await asio::async_read(*socket, asio::buffer(frame), base::into(error));
    if (error) co_return;
    frame.resize(wire::decode_head(frame).value());
    co_await asio::async_read(*socket, asio::buffer(frame), base::into(error));
    if (error) co_return;
    const wire::Request request = wire::decode_request(wire::decode_body(frame).value()).value();
    if (request.verb == wire::Verb::Ping) {
      if (hangs_) continue;
      const std::string pong = wire::encode_answer(request.id, base::json::object{});
      co_await asio::async_write(*socket, asio::buffer(pong), base::into(error));
      continue;
    }
    const base::ServiceId service{
        base::AccountId(base::json::get_string(request.arguments, "account").value()),
        base::json::get_string(request.arguments, "service").value()};
    if (request.verb == wire::Verb::Fault) {
      faults_.push_back(to_string(service) + " " +
                        base::json::get_string(request.arguments, "reason").value());
      fault_epochs_.push_back(base::json::get_int(request.arguments, "epoch").value());
      continue;
    }
    ASSERT(request.verb == wire::Verb::Activate);
    activations_.push_back(service);
    while (held_ && co_await released_.wait()) {
    }
    const Activation activation = activate_(service);
    wire::AgentResult<base::json::object> answer;
    if (activation) answer = base::json::object{{"epoch", *activation}};
    if (!activation) answer = std::unexpected(activation.error());
    const std::string out = wire::encode_answer(request.id, answer);
    for (const std::string_view piece : base::testing::pieces_of(out, cuts_)) {
      co_await until_read(*socket);
      co_await asio::async_write(*socket, asio::buffer(piece), base::into(error));
      if (error) co_return;
    }
  }
}

}  // namespace granary::gateway::testing

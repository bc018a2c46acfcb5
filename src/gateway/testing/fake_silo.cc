#include "gateway/testing/fake_silo.h"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"
#include "base/os/file.h"
#include "gateway/testing/pieces.h"

namespace granary::gateway::testing {
namespace {

namespace asio = base::asio;

// How many bytes of a whole request `inbox` begins with; 0: not whole yet. Only what the gateway
// sends: a length, or chunks that end with an empty one.
std::size_t whole(const std::string& inbox) {
  const std::size_t head = inbox.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  const std::string text = inbox.substr(0, head + 2);
  if (text.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos) {
    const std::size_t from =
        inbox.compare(head + 4, 5, "0\r\n\r\n") == 0 ? head + 4 : std::string::npos;
    if (from != std::string::npos) return head + 9;
    const std::size_t last = inbox.find("\r\n0\r\n\r\n", head + 4);
    return last == std::string::npos ? 0 : last + 7;
  }
  const std::string name = "\r\nContent-Length: ";
  const std::size_t at = text.find(name);
  const std::size_t length =
      at == std::string::npos ? 0 : std::stoul(text.substr(at + name.size()));
  return inbox.size() >= head + 4 + length ? head + 4 + length : 0;
}

}  // namespace

FakeSilo::FakeSilo(asio::io_context& context, std::string path)
    : context_(context),
      path_(std::move(path)),
      tasks_(context.get_executor()),
      released_(context.get_executor()),
      script_([](const std::string&) { return Reply{ok("hello")}; }) {}

FakeSilo::~FakeSilo() = default;

std::string FakeSilo::ok(std::string_view body, std::string_view fields) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), fields,
                     body);
}

void FakeSilo::start() {
  ASSERT(base::os::remove_file(path_).has_value());
  acceptor_ = std::make_unique<Local::acceptor>(context_, Local::endpoint(path_));
  tasks_.spawn("silo accept", accept());
}

void FakeSilo::die() {
  acceptor_->close();
  for (const auto& weak : sockets_)
    if (const auto socket = weak.lock()) socket->close();
  sockets_.clear();
}

base::Task<void> FakeSilo::stop() {
  release();
  co_await tasks_.close();
}

void FakeSilo::release() {
  held_ = deaf_ = false;
  released_.notify_all();
}

void FakeSilo::say(std::string_view bytes) {
  for (const auto& weak : sockets_)
    if (const auto socket = weak.lock()) asio::write(*socket, asio::buffer(bytes));
}

base::Task<void> FakeSilo::accept() {
  Local::acceptor& acceptor = *acceptor_;
  for (;;) {
    auto socket = std::make_shared<Local::socket>(context_);
    base::ErrorCode error;
    co_await acceptor.async_accept(*socket, base::into(error));
    if (error) co_return;
    ++connections_;
    sockets_.push_back(socket);
    tasks_.spawn("silo connection", serve(socket));
  }
}

base::Task<bool> FakeSilo::read_request(Local::socket& socket, std::string& inbox,
                                        std::string& request) {
  base::ErrorCode error;
  const auto size = [&] {
    const std::size_t head = inbox.find("\r\n\r\n");
    return early_ && head != std::string::npos ? head + 4 : whole(inbox);
  };
  while (size() == 0) {
    char bytes[1024];
    const std::size_t got = co_await socket.async_read_some(asio::buffer(bytes), base::into(error));
    if (error) co_return false;
    inbox.append(bytes, got);
  }
  request = inbox.substr(0, size());
  inbox.erase(0, request.size());
  co_return true;
}

base::Task<void> FakeSilo::serve(std::shared_ptr<Local::socket> socket) {
  open_.push_back(0);
  const auto place = std::prev(open_.end());
  std::string inbox;
  std::string request;
  base::ErrorCode error;
  while (deaf_ && co_await released_.wait()) {
  }
  while (co_await read_request(*socket, inbox, request)) {
    requests_.push_back(request);
    while (held_ && co_await released_.wait()) {
    }
    const Reply reply = script_(request);
    co_await answer(*socket, reply, error);
    if (reply.then == Reply::Then::Echo) co_await echo(*socket, std::exchange(inbox, {}));
    if (error || early_ || reply.then != Reply::Then::Keep) break;
  }
  socket->close(error);
  open_.erase(place);
}

base::Task<void> FakeSilo::answer(Local::socket& socket, const Reply& reply,
                                  base::ErrorCode& error) {
  for (const std::string_view piece : base::testing::pieces_of(reply.bytes, reply.cuts)) {
    co_await until_read(socket);
    co_await asio::async_write(socket, asio::buffer(piece), base::into(error));
    if (error) co_return;
  }
}

base::Task<void> FakeSilo::echo(Local::socket& socket, std::string early) {
  base::ErrorCode error;
  while (!error) {
    co_await asio::async_write(socket, asio::buffer(early), base::into(error));
    early.resize(4096);
    if (!error)
      early.resize(co_await socket.async_read_some(asio::buffer(early), base::into(error)));
  }
}

}  // namespace granary::gateway::testing

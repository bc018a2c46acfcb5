#include "cli/testing/fake_api.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace granary::cli::testing {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

FakeApi::FakeApi()
    : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      thread_([this] { serve(); }) {}

FakeApi::~FakeApi() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  boost::system::error_code ignored;
  tcp::socket wake(context_);
  wake.connect(acceptor_.local_endpoint(), ignored);
  thread_.join();
}

void FakeApi::answer(const std::string& request, unsigned status, std::string body) {
  const std::lock_guard lock(mutex_);
  answers_[request].emplace_back(status, std::move(body));
}

void FakeApi::drop_after(int served, int dropped) {
  const std::lock_guard lock(mutex_);
  serves_ = served;
  drops_ = dropped;
}

void FakeApi::refuse_bundles() {
  const std::lock_guard lock(mutex_);
  refuse_bundles_ = true;
}

void FakeApi::interrupt_at(std::size_t request) {
  const std::lock_guard lock(mutex_);
  interrupt_at_ = request;
}

std::vector<Asked> FakeApi::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::string FakeApi::url() const {
  return fmt::format("http://127.0.0.1:{}", acceptor_.local_endpoint().port());
}

void FakeApi::serve() {
  for (;;) {
    tcp::socket socket(context_);
    boost::system::error_code error;
    acceptor_.accept(socket, error);
    {
      const std::lock_guard lock(mutex_);
      if (closing_) return;
      if (serves_ == 0 && drops_ > 0) {
        --drops_;
        continue;
      }
      serves_ = std::max(0, serves_ - 1);
    }
    serve_one(std::move(socket));
  }
}

std::pair<unsigned, std::string> FakeApi::next_answer(const std::string& request) {
  const auto found = answers_.find(request);
  if (found == answers_.end())
    return {404, R"({"type":"t","title":"t","status":404,"detail":"there is no such thing",)"
                 R"("code":"not_found","advice":"look","context":[],"request_id":"r"})"};
  const auto answer = found->second.front();
  if (found->second.size() > 1) found->second.erase(found->second.begin());
  return answer;
}

void FakeApi::serve_one(tcp::socket socket) {
  boost::system::error_code error;
  boost::beast::flat_buffer buffer;
  http::request_parser<http::string_body> parser;
  parser.body_limit(64U << 20);
  http::read_header(socket, buffer, parser, error);
  const bool waits = parser.get().count(http::field::expect) > 0;
  const bool refuses = [this] {
    const std::lock_guard lock(mutex_);
    return refuse_bundles_;
  }();
  if (waits && !refuses)
    asio::write(socket, asio::buffer(std::string("HTTP/1.1 100 Continue\r\n\r\n")), error);
  if (!waits || !refuses) http::read(socket, buffer, parser, error);
  const auto& message = parser.get();
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  Asked asked{text(message.method_string()), text(message.target()), message.body(),
              text(message[http::field::authorization]), text(message[http::field::content_type])};
  const std::lock_guard lock(mutex_);
  const auto [status, body] =
      next_answer(asked.method + " " + asked.target.substr(0, asked.target.find('?')));
  asked_.push_back(std::move(asked));
  if (asked_.size() == interrupt_at_) ::kill(::getpid(), SIGINT);
  http::response<http::string_body> reply(http::status(status), 11);
  reply.keep_alive(false);
  reply.body() = body;
  reply.prepare_payload();
  http::write(socket, reply, error);
}

}  // namespace granary::cli::testing

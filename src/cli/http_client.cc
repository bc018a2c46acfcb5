#include "cli/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/file_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <csignal>

namespace granary::cli {

using base::Code;
using base::ErrorCode;
using base::into;
using base::Result;
using base::Task;

namespace {

using Generic = base::asio::generic::stream_protocol;
using Stream = boost::beast::basic_stream<Generic>;
using Endpoints = std::vector<Generic::endpoint>;

base::Failure broken(const ErrorCode& error, const Address& address, std::string_view doing) {
  const bool late = error == boost::beast::error::timeout;
  return base::fail_with_advice(
      late ? Code::Deadline : Code::Unavailable,
      fmt::format("the API at {} did not {}: {}", to_string(address), doing, error.message()),
      "Look whether it runs (granary up), and at its log; nothing is lost: see granary operation "
      "list");
}

Task<Result<Endpoints>> resolve(Address address) {
  Endpoints endpoints;
  if (address.host.empty()) {
    endpoints.emplace_back(base::asio::local::stream_protocol::endpoint(address.unix_path));
    co_return endpoints;
  }
  base::asio::ip::tcp::resolver resolver(co_await base::asio::this_coro::executor);
  ErrorCode error;
  const auto found = co_await resolver.async_resolve(address.host, address.port, into(error));
  if (error)
    co_return base::fail(Code::Unavailable, "the name {} is not known: {}", address.host,
                         error.message());
  for (const auto& entry : found) endpoints.emplace_back(entry.endpoint());
  co_return endpoints;
}

Task<Result<void>> connect(Stream& stream, const Address& address) {
  CO_TRY_ASSIGN(const Endpoints endpoints, co_await resolve(address));
  ErrorCode error = base::asio::error::host_not_found;
  for (const Generic::endpoint& endpoint : endpoints) {
    stream.expires_after(kConnectTime);
    co_await stream.async_connect(endpoint, into(error));
    if (!error) co_return Result<void>();
    stream.close();
  }
  co_return base::fail_with_advice(
      error == boost::beast::error::timeout ? Code::Deadline : Code::Unavailable,
      fmt::format("nobody answers at {}: {}", to_string(address), error.message()),
      "Start the platform with granary up, or say where its API is with --api or GRANARY_API");
}

template <class Body>
void fill_head(http::request<Body>& message, const HttpRequest& request, const Address& address) {
  message.version(11);
  message.method(request.method);
  message.target({request.target.data(), request.target.size()});
  const std::string& host = request.host.empty() ? address.host : request.host;
  message.set(http::field::host, host.empty() ? "localhost" : host);
  message.set(http::field::user_agent, "granary");
  message.keep_alive(false);
  if (!request.token.empty()) message.set(http::field::authorization, "Bearer " + request.token);
}

// References outlive the call, here and below.
Task<Result<HttpReply>> read_reply(Stream& stream, const HttpRequest& request,
                                   const Address& address) {
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxAnswerBytes);
  ErrorCode error;
  stream.expires_after(request.time);
  co_await http::async_read(stream, buffer, parser, into(error));
  if (error) co_return broken(error, address, "answer");
  const auto& message = parser.get();
  const std::string_view type = message[http::field::content_type];
  co_return HttpReply{message.result_int(), std::string(type), message.body()};
}

Task<Result<HttpReply>> send_document(Stream& stream, const HttpRequest& request,
                                      const Address& address) {
  http::request<http::string_body> message;
  fill_head(message, request, address);
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = request.body;
  message.prepare_payload();
  ErrorCode error;
  stream.expires_after(request.time);
  co_await http::async_write(stream, message, into(error));
  if (error) co_return broken(error, address, "take the request");
  co_return co_await read_reply(stream, request, address);
}

// The head first: the bundle is only sent once the API has said that it wants it.
Task<Result<HttpReply>> send_file(Stream& stream, const HttpRequest& request,
                                  const Address& address) {
  http::request<http::file_body> message;
  fill_head(message, request, address);
  message.set(http::field::content_type, "application/zstd");
  message.set(http::field::expect, "100-continue");
  ErrorCode error;
  message.body().open(request.file.c_str(), boost::beast::file_mode::scan, error);
  if (error)
    co_return base::fail(Code::NotFound, "cannot read {}: {}", request.file, error.message());
  message.prepare_payload();
  http::request_serializer<http::file_body> serializer(message);
  serializer.split(true);
  stream.expires_after(kContinueTime);
  co_await http::async_write_header(stream, serializer, into(error));
  if (error) co_return broken(error, address, "take the bundle");
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> first;
  first.body_limit(kMaxAnswerBytes);
  co_await http::async_read(stream, buffer, first, into(error));
  if (error) co_return broken(error, address, "ask for the bundle");
  const auto& answer = first.get();
  if (answer.result() != http::status::continue_) {
    const std::string_view type = answer[http::field::content_type];
    co_return HttpReply{answer.result_int(), std::string(type), answer.body()};
  }
  stream.expires_after(request.time);
  co_await http::async_write(stream, serializer, into(error));
  // Refused half-way: the answer says why, if it can still be read.
  auto reply = co_await read_reply(stream, request, address);
  if (!reply && error) co_return broken(error, address, "take the bundle");
  co_return reply;
}

}  // namespace

HttpClient::HttpClient(Address address) : address_(std::move(address)) {}

void HttpClient::hold_interrupts() {
  if (interrupts_ == Interrupts::Kill) interrupts_ = Interrupts::Held;
  ErrorCode ignored;  // Ctrl-C then ends the process, as it does elsewhere
  signals_.add(SIGINT, ignored);
}

// `request` outlives the exchange.
Task<void> HttpClient::exchange(const HttpRequest& request, Result<HttpReply>& outcome) {
  Stream stream(context_);
  interrupt_ = [&stream] { stream.close(); };
  const auto connected = co_await connect(stream, address_);
  if (!connected) {
    outcome = std::unexpected(connected.error());
  } else if (request.file.empty()) {
    outcome = co_await send_document(stream, request, address_);
  } else {
    outcome = co_await send_file(stream, request, address_);
  }
  interrupt_ = nullptr;
}

// Whatever runs in the loop ends by itself, or by interrupt_.
Result<void> HttpClient::run_loop() {
  if (interrupts_ == Interrupts::Held) {
    signals_.async_wait([this](const ErrorCode& error, int) {
      if (error) return;
      interrupts_ = Interrupts::Came;
      if (interrupt_) interrupt_();
    });
  }
  context_.restart();
  context_.run();
  if (interrupts_ == Interrupts::Came) return base::fail(Code::Cancelled, "interrupted");
  return {};
}

Result<HttpReply> HttpClient::send(const HttpRequest& request) {
  if (interrupts_ == Interrupts::Came) return base::fail(Code::Cancelled, "interrupted");
  Result<HttpReply> outcome;
  base::asio::co_spawn(context_, exchange(request, outcome), [&](const std::exception_ptr& bug) {
    if (bug) outcome = base::fail(Code::Internal, "the client is broken");
    signals_.cancel();
  });
  TRY(run_loop());
  return outcome;
}

Result<void> HttpClient::pause(std::chrono::milliseconds time) {
  if (interrupts_ == Interrupts::Came) return base::fail(Code::Cancelled, "interrupted");
  base::asio::steady_timer timer(context_, time);
  interrupt_ = [&timer] { timer.cancel(); };
  timer.async_wait([this](const ErrorCode&) { signals_.cancel(); });
  const Result<void> outcome = run_loop();
  interrupt_ = nullptr;
  return outcome;
}

}  // namespace granary::cli

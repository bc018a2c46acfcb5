#include "cli/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/file.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
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

// References outlive the call, here and below. Gives the body to the sink.
Task<Result<HttpReply>> drain(Stream& stream, boost::beast::flat_buffer& buffer,
                              http::response_parser<http::empty_body>& head,
                              const HttpRequest& request, const Address& address) {
  http::response_parser<http::buffer_body> parser(std::move(head));
  const std::uint64_t total = parser.content_length().value_or(0);
  std::uint64_t taken = 0;
  std::vector<char> piece(kPieceBytes);
  while (!parser.is_done()) {
    parser.get().body() = {piece.data(), piece.size(), true};
    ErrorCode error;
    stream.expires_after(kPieceTime);
    co_await http::async_read(stream, buffer, parser, into(error));
    if (error && error != http::error::need_buffer) co_return broken(error, address, "send it all");
    const std::size_t count = piece.size() - parser.get().body().size;
    CO_TRY(request.sink({piece.data(), count}));
    taken += count;
    if (request.progress) request.progress(taken, total);
  }
  co_return HttpReply{parser.get().result_int(), {}, {}};
}

Task<Result<HttpReply>> read_reply(Stream& stream, const HttpRequest& request,
                                   const Address& address) {
  boost::beast::flat_buffer buffer;
  http::response_parser<http::empty_body> head;
  head.body_limit(boost::none);  // held below, by what the body is
  ErrorCode error;
  stream.expires_after(request.time);
  co_await http::async_read_header(stream, buffer, head, into(error));
  if (error) co_return broken(error, address, "answer");
  const bool success = http::to_status_class(head.get().result()) == http::status_class::successful;
  if (success && request.sink) co_return co_await drain(stream, buffer, head, request, address);
  http::response_parser<http::string_body> parser(std::move(head));
  parser.body_limit(kMaxAnswerBytes);
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

// All of the file, a piece at a time; each must go through in its time.
Task<Result<void>> send_pieces(Stream& stream, boost::beast::file& file, const HttpRequest& request,
                               const Address& address) {
  ErrorCode error;
  const std::uint64_t total = file.size(error);
  std::vector<char> piece(kPieceBytes);
  for (std::uint64_t sent = 0; sent < total;) {
    const std::size_t count = file.read(piece.data(), piece.size(), error);
    if (error || count == 0)
      co_return base::fail(Code::DataLoss, "cannot read {} to its end: {}", request.file,
                           error ? error.message() : "it has become shorter");
    stream.expires_after(kPieceTime);
    co_await base::asio::async_write(stream, base::asio::buffer(piece.data(), count), into(error));
    if (error) co_return broken(error, address, "take the file");
    sent += count;
    if (request.progress) request.progress(sent, total);
  }
  co_return Result<void>();
}

// The head first: the file is only sent once the API has said that it wants it.
Task<Result<HttpReply>> send_file(Stream& stream, const HttpRequest& request,
                                  const Address& address) {
  boost::beast::file file;
  ErrorCode error;
  file.open(request.file.c_str(), boost::beast::file_mode::scan, error);
  if (error)
    co_return base::fail(Code::NotFound, "cannot read {}: {}", request.file, error.message());
  http::request<http::empty_body> head;
  fill_head(head, request, address);
  head.set(http::field::content_type, request.file_type);
  head.set(http::field::expect, "100-continue");
  head.content_length(file.size(error));
  http::request_serializer<http::empty_body> serializer(head);
  stream.expires_after(kContinueTime);
  co_await http::async_write_header(stream, serializer, into(error));
  if (error) co_return broken(error, address, "take the file");
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> first;
  first.body_limit(kMaxAnswerBytes);
  co_await http::async_read(stream, buffer, first, into(error));
  if (error) co_return broken(error, address, "ask for the file");
  const auto& answer = first.get();
  if (answer.result() != http::status::continue_) {
    const std::string_view type = answer[http::field::content_type];
    co_return HttpReply{answer.result_int(), std::string(type), answer.body()};
  }
  const auto sent = co_await send_pieces(stream, file, request, address);
  if (!sent && sent.error().code == Code::DataLoss) co_return std::unexpected(sent.error());
  // Refused half-way: the answer says why, if it can still be read.
  auto reply = co_await read_reply(stream, request, address);
  if (!reply && !sent) co_return std::unexpected(sent.error());
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

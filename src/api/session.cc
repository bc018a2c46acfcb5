#include "api/session.h"

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "api/head.h"
#include "base/contained.h"
#include "base/log.h"

// The way of a request; reading bodies is in session_body.cc.
namespace granary::api {

using base::Code;
using base::ErrorCode;
using base::into;
using base::Result;
using base::Task;

namespace {

// What a failed read of a head deserves; nothing: the client just went.
std::optional<Rejection> fault_of(const ErrorCode& error, const Deadline& deadline,
                                  const HeadParser& parser) {
  if (deadline.expired()) {
    if (!parser.got_some()) return std::nullopt;
    return Rejection{http::status::request_timeout,
                     {Code::Deadline, "the request did not arrive in time", {}, {}},
                     {}};
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return Rejection{http::status::request_header_fields_too_large,
                     {Code::Exhausted,
                      fmt::format("the request's head has more than {} bytes", kMaxHeadBytes),
                      {},
                      {}},
                     {}};
  const ErrorCode of_http = http::error::bad_value;
  if (error.category() != of_http.category() || error == http::error::end_of_stream ||
      error == http::error::partial_message)
    return std::nullopt;
  return Rejection{
      http::status::bad_request,
      {Code::InvalidArgument, fmt::format("this is not HTTP: {}", error.message()), {}, {}},
      {}};
}

std::string joined(const std::vector<http::verb>& methods) {
  std::string list;
  for (const http::verb method : methods) {
    const std::string_view name = http::to_string(method);
    list += fmt::format("{}{}", list.empty() ? "" : ", ", name);
  }
  return list;
}

Rejection no_route(const Request& request, const Match& match) {
  if (match.methods.empty())
    return rejection_of({Code::NotFound,
                         "there is nothing at this path",
                         "See /v1/openapi.json for what there is",
                         {}});
  const std::string allowed = joined(match.methods);
  const std::string_view method = http::to_string(request.method);
  return {http::status::method_not_allowed,
          {Code::InvalidArgument,
           fmt::format("{} is not possible here", method),
           fmt::format("Possible: {}", allowed),
           {}},
          {{"Allow", allowed}}};
}

http::response<http::string_body> message_of(Response response, unsigned version) {
  http::response<http::string_body> message(response.status, version);
  for (const auto& [name, value] : response.headers) message.set(name, value);
  // Answers hold secrets and change: nobody in between keeps or guesses at them.
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  if (response.status == http::status::no_content) return message;
  message.set(http::field::content_type, response.type);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

std::string events_text(const Feed& feed, const Feed::Batch& batch) {
  std::string text;
  if (batch.gap == Feed::Batch::Gap::Missed)
    text += fmt::format("event: reset\nid: {}\ndata: {{}}\n\n", feed.event_id(batch.last));
  for (const Feed::Entry& entry : batch.entries)
    text += fmt::format("event: operation\nid: {}\ndata: {}\n\n", feed.event_id(entry.number),
                        entry.data);
  return text.empty() ? ":\n\n" : text;
}

}  // namespace

Session::Session(Context& context, base::asio::ip::tcp::socket socket)
    : context_(context), socket_(std::move(socket)), deadline_(socket_) {}

void Session::abort() {
  ErrorCode ignored;  // it is closed either way
  socket_.close(ignored);
}

Task<void> Session::run() {
  After after = After::KeepOpen;
  while (after == After::KeepOpen) after = co_await exchange();
  co_await linger();
}

Task<Session::After> Session::exchange() {
  HeadParser parser;
  parser.header_limit(kMaxHeadBytes);
  parser.body_limit(boost::none);  // each route has its own, held when the body is read
  ErrorCode error;
  deadline_.start(context_.options.patience.head);
  co_await http::async_read_header(socket_, buffer_, parser, into(error));
  if (error) co_return co_await refuse_head(error, parser);
  Exchange exchange;
  exchange.version = parser.get().version();
  if (parser.is_done()) exchange.input = Exchange::Input::Read;
  std::expected<Response, Rejection> outcome = co_await perform(parser, exchange);
  exchange.upload.reset();
  if (!parser.keep_alive() || exchange.input == Exchange::Input::Unread)
    exchange.after = After::Close;
  if (outcome && outcome->kind == Response::Kind::Events) co_return co_await send_events(exchange);
  if (outcome && outcome->kind == Response::Kind::File)
    co_return co_await send_file(std::move(*outcome), exchange);
  Response response =
      outcome ? std::move(*outcome) : answer_problem(outcome.error(), exchange.request.request_id);
  account(exchange, response.status);
  co_return co_await send(std::move(response), exchange);
}

Task<Session::After> Session::refuse_head(ErrorCode error, const HeadParser& parser) {
  const auto fault = fault_of(error, deadline_, parser);
  // Without a fault there is nobody to answer, nor a connection to linger on.
  if (!fault) {
    abort();
    co_return After::Close;
  }
  Exchange exchange;
  exchange.after = After::Close;
  exchange.request.request_id = base::make_ulid(context_.parts.clock.wall(), context_.parts.rng);
  account(exchange, fault->status);
  co_return co_await send(answer_problem(*fault, exchange.request.request_id), exchange);
}

Task<std::expected<Response, Rejection>> Session::perform(HeadParser& parser, Exchange& exchange) {
  Outcome outcome = co_await admit(parser, exchange);
  if (outcome) outcome = co_await read_body(parser, exchange);
  if (!outcome) co_return std::unexpected(outcome.error());
  // A handler that throws is a fault of ours: it costs this request alone.
  auto response = co_await base::contained(exchange.route->handler(context_, exchange.request));
  if (!response) co_return std::unexpected(rejection_of(response.error()));
  if (response->status == http::status::ok || response->status == exchange.route->success)
    co_return std::move(*response);
  co_return std::unexpected(rejection_of({Code::Internal, "an answer of another status", {}, {}}));
}

// Whose request it is, for which route, and whether that may be.
Task<Session::Outcome> Session::admit(HeadParser& parser, Exchange& exchange) {
  std::string request_id = request_id_of(parser.get());
  if (request_id.empty())
    request_id = base::make_ulid(context_.parts.clock.wall(), context_.parts.rng);
  auto head = read_head(parser.get());
  exchange.request.request_id = request_id;
  if (!head) co_return std::unexpected(head.error());
  exchange.request = std::move(*head);
  exchange.request.request_id = request_id;
  const Match found = match(exchange.request);
  if (found.route == nullptr) co_return std::unexpected(no_route(exchange.request, found));
  exchange.route = found.route;
  if (found.route->access != Access::Public) {
    auto token = co_await context_.authenticator.authenticate(exchange.request.bearer);
    if (!token) co_return std::unexpected(rejection_of(token.error()));
    exchange.request.token = std::move(*token);
    if (!allows(exchange.request.token.role, found.route->access))
      co_return std::unexpected(
          rejection_of({Code::Refused,
                        fmt::format("this asks for the role {}; the token has the role {}",
                                    to_string(found.route->access),
                                    registry::to_string(exchange.request.token.role)),
                        "Use a token with that role",
                        {}}));
  }
  const auto query = check_query(*found.route, exchange.request);
  if (!query) co_return std::unexpected(rejection_of(query.error()));
  co_return Outcome();
}

Task<Session::After> Session::send(Response response, const Exchange& exchange) {
  auto message = message_of(std::move(response), exchange.version);
  message.set("X-Request-Id", exchange.request.request_id);
  message.keep_alive(exchange.after == After::KeepOpen);
  ErrorCode error;
  deadline_.start(context_.options.patience.answer);
  co_await http::async_write(socket_, message, into(error));
  if (!error) co_return exchange.after;
  abort();
  co_return After::Close;
}

Task<Result<void>> Session::send_text(std::string text) {
  ErrorCode error;
  deadline_.start(context_.options.patience.answer);
  co_await base::asio::async_write(socket_, base::asio::buffer(text), into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "write to a client"));
  co_return Result<void>();
}

// The stream ends with the connection, so it needs no framing.
Task<Session::After> Session::send_events(const Exchange& exchange) {
  account(exchange, http::status::ok);
  const Request& request = exchange.request;
  const Counted counted(context_.metrics.streams);
  std::uint64_t seen = context_.feed.last();
  Feed::Batch batch{.last = seen};
  if (!request.last_event_id.empty()) {
    // An id of another run of the program: what happened since then is not known here.
    const auto number = context_.feed.number_of(request.last_event_id);
    batch = context_.feed.since(number.value_or(std::numeric_limits<std::uint64_t>::max()));
  }
  const std::string head = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nX-Request-Id: {}\r\nConnection: close\r\n\r\n"
      "id: {}\nretry: 1000\n\n",
      request.request_id, context_.feed.event_id(seen));
  auto sent = co_await send_text(head + events_text(context_.feed, batch));
  while (sent && co_await context_.authenticator.authenticate(request.bearer)) {
    if (context_.feed.last() == seen) co_await context_.feed.wait(context_.parts.timer, kHeartbeat);
    batch = context_.feed.since(seen);
    seen = batch.last;
    sent = co_await send_text(events_text(context_.feed, batch));
  }
  if (!sent) abort();
  co_return After::Close;
}

// Reads on for a moment after the last answer: closing a socket with unread input resets the
// connection, and the client may lose the answer.
Task<void> Session::linger() {
  ErrorCode error;
  socket_.shutdown(base::asio::ip::tcp::socket::shutdown_send, error);
  std::vector<char> rest(kUploadChunk);
  std::size_t left = kMaxLingerBytes;
  deadline_.start(context_.options.patience.linger);
  while (!error && left > 0) {
    const std::size_t count =
        co_await socket_.async_read_some(base::asio::buffer(rest), into(error));
    left -= std::min(left, count);
  }
  abort();
}

void Session::account(const Exchange& exchange, http::status status) {
  const Request& request = exchange.request;
  const std::string_view method = http::to_string(request.method);
  const std::string_view pattern =
      exchange.route == nullptr ? std::string_view() : exchange.route->pattern;
  const unsigned code = static_cast<unsigned>(status);
  // Without a route the method may be anything a stranger thinks of.
  ++context_.metrics
        .requests[{pattern.empty() ? "" : std::string(method), std::string(pattern), code}];
  const auto level =
      request.method == http::verb::get ? base::log::Level::Debug : base::log::Level::Info;
  base::log::write(
      level, fmt::format("api {} {} {} {} request {}", method, base::log::escape(request.path),
                         code, request.actor(), request.request_id));
}

}  // namespace granary::api

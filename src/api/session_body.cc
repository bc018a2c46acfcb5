#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "api/head.h"
#include "api/session.h"

// Reading the body of a request that has been admitted.
namespace granary::api {

using base::Code;
using base::ErrorCode;
using base::into;
using base::Task;

namespace {

std::unexpected<Rejection> too_large(std::uint64_t limit) {
  return std::unexpected(
      Rejection{http::status::payload_too_large,
                {Code::Exhausted, fmt::format("the body has more than {} bytes", limit), {}, {}},
                {}});
}

std::unexpected<Rejection> wrong_type(std::string_view expected) {
  return std::unexpected(
      Rejection{http::status::unsupported_media_type,
                {Code::InvalidArgument,
                 fmt::format("the Content-Type of this body must be {}", expected),
                 {},
                 {}},
                {}});
}

std::unexpected<Rejection> too_slow() {
  return std::unexpected(Rejection{http::status::request_timeout,
                                   {Code::Deadline, "the body did not arrive in time", {}, {}},
                                   {}});
}

std::unexpected<Rejection> broken_body(const ErrorCode& error, std::uint64_t limit) {
  if (error == http::error::body_limit) return too_large(limit);
  return std::unexpected(rejection_of(
      {Code::InvalidArgument, fmt::format("the body is broken: {}", error.message()), {}, {}}));
}

// "application/json; charset=utf-8" is application/json.
bool is_type(std::string_view value, std::string_view expected) {
  const std::string_view type = value.substr(0, value.find(';'));
  const std::size_t end = type.find_last_not_of(' ');
  return boost::beast::iequals({type.data(), end == std::string_view::npos ? 0 : end + 1},
                               {expected.data(), expected.size()});
}

}  // namespace

Task<Session::Outcome> Session::read_body(HeadParser& parser, Exchange& exchange) {
  const bool missing = exchange.input == Exchange::Input::Read;
  switch (exchange.route->body) {
    case Body::None:
      if (missing) co_return Outcome();
      co_return std::unexpected(
          rejection_of({Code::InvalidArgument, "this request takes no body", {}, {}}));
    case Body::Json:
      if (missing) co_return Outcome();
      co_return co_await read_document(parser, exchange);
    case Body::Bundle:
      if (missing)
        co_return std::unexpected(rejection_of({Code::InvalidArgument,
                                                "the body must be a bundle",
                                                "Make one with granary release create DIR",
                                                {}}));
      co_return co_await read_bundle(parser, exchange);
  }
  co_return Outcome();
}

// The client may wait to be told that its body is wanted.
Task<Session::Outcome> Session::go_ahead(HeadParser& parser) {
  if (waits_for_continue(parser.get()) == Waits::No) co_return Outcome();
  const auto sent = co_await send_text("HTTP/1.1 100 Continue\r\n\r\n");
  if (!sent) co_return std::unexpected(rejection_of(sent.error()));
  co_return Outcome();
}

Task<Session::Outcome> Session::read_document(HeadParser& parser, Exchange& exchange) {
  const std::string_view type = parser.get()[http::field::content_type];
  if (!is_type(type, "application/json")) co_return wrong_type("application/json");
  if (parser.content_length().value_or(0) > kMaxJsonBytes) co_return too_large(kMaxJsonBytes);
  if (auto told = co_await go_ahead(parser); !told) co_return told;
  http::request_parser<http::string_body> body(std::move(parser));
  body.body_limit(kMaxJsonBytes);
  ErrorCode error;
  deadline_.start(context_.options.patience.body);
  co_await http::async_read(socket_, buffer_, body, into(error));
  if (deadline_.expired()) co_return too_slow();
  if (error) co_return broken_body(error, kMaxJsonBytes);
  exchange.input = Exchange::Input::Read;
  auto document = base::json::parse_object(body.get().body(), kMaxJsonBytes);
  if (!document) co_return std::unexpected(rejection_of(document.error()));
  exchange.request.body = std::move(*document);
  co_return Outcome();
}

Task<Session::Outcome> Session::read_bundle(HeadParser& parser, Exchange& exchange) {
  const std::string_view type = parser.get()[http::field::content_type];
  if (!is_type(type, "application/zstd")) co_return wrong_type("application/zstd");
  if (parser.content_length().value_or(0) > kMaxBundleBytes) co_return too_large(kMaxBundleBytes);
  if (context_.metrics.uploads >= kMaxUploads)
    co_return std::unexpected(
        rejection_of({Code::Exhausted,
                      fmt::format("{} bundles are on their way in already", kMaxUploads),
                      "Try again when they are through",
                      {}}));
  ++context_.metrics.uploads;
  const auto leave = [](Metrics* metrics) { --metrics->uploads; };
  const std::unique_ptr<Metrics, decltype(leave)> counted(&context_.metrics, leave);
  co_return co_await store_bundle(parser, exchange);
}

Task<Session::Outcome> Session::store_bundle(HeadParser& parser, Exchange& exchange) {
  if (auto told = co_await go_ahead(parser); !told) co_return told;
  auto upload =
      co_await begin_upload(context_.parts.worker, context_.options.upload_folder,
                            base::make_ulid(context_.parts.clock.wall(), context_.parts.rng));
  if (!upload) co_return std::unexpected(rejection_of(upload.error()));
  exchange.upload = std::move(*upload);
  exchange.request.upload = exchange.upload->path();
  http::request_parser<http::buffer_body> body(std::move(parser));
  body.body_limit(kMaxBundleBytes);
  const base::BootTime end = context_.parts.clock.boot() + context_.options.patience.upload;
  std::vector<char> chunk(kUploadChunk);
  while (!body.is_done()) {
    if (context_.parts.clock.boot() > end) co_return too_slow();
    body.get().body() = {chunk.data(), chunk.size(), true};
    ErrorCode error;
    deadline_.start(context_.options.patience.upload_piece);
    co_await http::async_read(socket_, buffer_, body, into(error));
    if (deadline_.expired()) co_return too_slow();
    if (error && error != http::error::need_buffer) co_return broken_body(error, kMaxBundleBytes);
    const std::size_t count = chunk.size() - body.get().body().size;
    const auto written = co_await exchange.upload->append({chunk.data(), count});
    if (!written) co_return std::unexpected(rejection_of(written.error()));
  }
  exchange.input = Exchange::Input::Read;
  co_return Outcome();
}

}  // namespace granary::api

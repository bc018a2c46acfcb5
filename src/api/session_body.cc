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
      co_return co_await read_file(parser, exchange);
    case Body::Archive:
      if (missing)
        co_return std::unexpected(rejection_of({Code::InvalidArgument,
                                                "the body must be an archive",
                                                "Make one with granary tenant export T --to FILE",
                                                {}}));
      co_return co_await read_file(parser, exchange);
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

// What a body that becomes a file may be.
struct Session::FileRules {
  std::string_view type;
  std::string_view what;  // in the plural
  std::uint64_t limit = 0;
  std::size_t Metrics::* under_way = nullptr;
  std::size_t places = 0;
  enum class Time { Fixed, GrowsWithSize } time = Time::Fixed;
};

Session::FileRules Session::rules_for(Body body) const {
  if (body == Body::Archive)
    return {"application/x-tar",       "archives",         context_.options.max_archive_bytes,
            &Metrics::archive_uploads, kMaxArchiveUploads, FileRules::Time::GrowsWithSize};
  return {"application/zstd", "bundles",   kMaxBundleBytes,
          &Metrics::uploads,  kMaxUploads, FileRules::Time::Fixed};
}

Task<Session::Outcome> Session::read_file(HeadParser& parser, Exchange& exchange) {
  const FileRules rules = rules_for(exchange.route->body);
  const std::string_view type = parser.get()[http::field::content_type];
  if (!is_type(type, rules.type)) co_return wrong_type(rules.type);
  if (parser.content_length().value_or(0) > rules.limit) co_return too_large(rules.limit);
  std::size_t& under_way = context_.metrics.*rules.under_way;
  if (under_way >= rules.places)
    co_return std::unexpected(
        rejection_of({Code::Exhausted,
                      fmt::format("{} {} are on their way in already", rules.places, rules.what),
                      "Try again when they are through",
                      {}}));
  const Counted counted(under_way);
  co_return co_await store_file(parser, exchange, rules);
}

// Whether so many bytes can come without filling the disk.
Task<Session::Outcome> Session::check_room(std::uint64_t coming, std::string_view what) {
  const auto free = co_await context_.parts.archives.free_bytes();
  if (!free) co_return std::unexpected(rejection_of(free.error()));
  const std::uint64_t spare = spare_room(coming);
  if (*free >= spare && *free - spare >= coming) co_return Outcome();
  co_return std::unexpected(Rejection{
      http::status::insufficient_storage,
      {Code::NoRoom,
       coming == 0 ? fmt::format("there is no room for more {}: {} MiB are free on the disk, of "
                                 "which {} MiB stay free",
                                 what, *free >> 20, spare >> 20)
                   : fmt::format("there is no room for {} MiB of {}: {} MiB are free on the disk, "
                                 "of which {} MiB stay free",
                                 (coming + (1U << 20) - 1) >> 20, what, *free >> 20, spare >> 20),
       "Make room below the data directory: granary archive list and delete, granary "
       "release list and delete",
       {}},
      {}});
}

Task<Session::Outcome> Session::store_file(HeadParser& parser, Exchange& exchange,
                                           FileRules rules) {
  const base::BootTime begun = context_.parts.clock.boot();
  const bool large = rules.time == FileRules::Time::GrowsWithSize;
  if (auto room = co_await check_room(parser.content_length().value_or(0), rules.what); !room)
    co_return room;
  if (auto told = co_await go_ahead(parser); !told) co_return told;
  auto upload =
      co_await begin_upload(context_.parts.worker, context_.options.upload_folder,
                            base::make_ulid(context_.parts.clock.wall(), context_.parts.rng));
  if (!upload) co_return std::unexpected(rejection_of(upload.error()));
  exchange.upload = std::move(*upload);
  exchange.request.upload = exchange.upload->path();
  http::request_parser<http::buffer_body> body(std::move(parser));
  body.body_limit(rules.limit);
  std::uint64_t received = 0;
  std::vector<char> chunk(kUploadChunk);
  while (!body.is_done()) {
    const auto allowed = time_for(context_.options.patience.upload, large ? received : 0);
    if (context_.parts.clock.boot() - begun > allowed) co_return too_slow();
    body.get().body() = {chunk.data(), chunk.size(), true};
    ErrorCode error;
    deadline_.start(context_.options.patience.upload_piece);
    co_await http::async_read(socket_, buffer_, body, into(error));
    if (deadline_.expired()) co_return too_slow();
    if (error && error != http::error::need_buffer) co_return broken_body(error, rules.limit);
    const std::size_t count = chunk.size() - body.get().body().size;
    const auto written = co_await exchange.upload->append({chunk.data(), count});
    if (!written) co_return std::unexpected(rejection_of(written.error()));
    const bool step = received / kRoomStep != (received + count) / kRoomStep;
    received += count;
    if (step) {
      auto room = co_await check_room(0, rules.what);  // without a length nobody could tell before
      if (!room) co_return room;
    }
  }
  exchange.input = Exchange::Input::Read;
  co_return Outcome();
}

}  // namespace granary::api

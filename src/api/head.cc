#include "api/head.h"

#include <boost/beast/core/string.hpp>
#include <boost/url.hpp>

#include "api/limits.h"

namespace granary::api {

using base::Code;

namespace {

using Outcome = std::expected<void, Rejection>;

std::unexpected<Rejection> reject(std::string message, http::status status) {
  return std::unexpected(
      Rejection{status, {Code::InvalidArgument, std::move(message), {}, {}}, {}});
}

std::unexpected<Rejection> reject(std::string message) {
  return reject(std::move(message), http::status::bad_request);
}

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

// Headers that must not come twice: each side of a proxy would believe another one.
Outcome check_single(const Head& head) {
  constexpr std::array kSingle = {
      http::field::host,           http::field::authorization,     http::field::content_type,
      http::field::content_length, http::field::transfer_encoding, http::field::expect};
  for (const http::field field : kSingle) {
    if (head.count(field) > 1)
      return reject(fmt::format("header {} is given more than once",
                                std::string_view(http::to_string(field))));
  }
  if (head.count("Idempotency-Key") > 1)
    return reject("header Idempotency-Key is given more than once");
  if (head.version() == 11 && head.count(http::field::host) != 1)
    return reject("header Host is missing");
  return {};
}

Outcome check_encodings(const Head& head) {
  const auto transfer = head.find(http::field::transfer_encoding);
  if (transfer != head.end()) {
    if (!boost::beast::iequals(transfer->value(), "chunked"))
      return reject("the only transfer encoding here is chunked");
    if (head.count(http::field::content_length) != 0)
      return reject("both Content-Length and Transfer-Encoding are given");
  }
  if (head.count(http::field::content_encoding) != 0)
    return reject("bodies are taken without a content encoding",
                  http::status::unsupported_media_type);
  const auto expect = head.find(http::field::expect);
  if (expect != head.end() && !boost::beast::iequals(expect->value(), "100-continue"))
    return reject("the only expectation known here is 100-continue",
                  http::status::expectation_failed);
  return {};
}

Outcome read_query(const boost::urls::url_view& target, Request& request) {
  for (const auto& parameter : target.params()) {
    if (parameter.value.size() > kMaxQueryValue)
      return reject(fmt::format("parameter {} is too long", base::quote(parameter.key)));
    if (!request.query.emplace(parameter.key, parameter.value).second)
      return reject(
          fmt::format("parameter {} is given more than once", base::quote(parameter.key)));
  }
  return {};
}

Outcome read_target(std::string_view text, Request& request) {
  const auto target = boost::urls::parse_origin_form({text.data(), text.size()});
  if (!target) return reject("the request's target is not a valid path");
  request.path = std::string(target->encoded_path());
  for (const auto& segment : target->segments()) {
    if (!base::is_printable_utf8(segment)) return reject("the request's path is not text");
    request.segments.push_back(segment);
  }
  return read_query(*target, request);
}

Outcome read_bearer(const Head& head, Request& request) {
  const auto found = head.find(http::field::authorization);
  if (found == head.end()) return {};
  const std::string_view value(found->value().data(), found->value().size());
  constexpr std::string_view kScheme = "Bearer ";
  if (!boost::beast::iequals({value.data(), std::min(value.size(), kScheme.size())}, "Bearer "))
    return std::unexpected(rejection_of({Code::Unauthenticated,
                                         "the Authorization header holds no bearer token",
                                         "Send Authorization: Bearer TOKEN",
                                         {}}));
  request.bearer = std::string(value.substr(kScheme.size()));
  return {};
}

Outcome read_key(const Head& head, Request& request) {
  const std::string_view key = head["Idempotency-Key"];
  if (key.size() > kMaxKeyBytes || !is_visible_ascii(key))
    return reject(fmt::format("an Idempotency-Key is at most {} visible characters", kMaxKeyBytes));
  request.idempotency_key = std::string(key);
  return {};
}

}  // namespace

std::string request_id_of(const Head& head) {
  const std::string_view given = head["X-Request-Id"];
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  const bool valid = given.size() <= kMaxRequestIdBytes && std::ranges::all_of(given, allowed);
  return valid ? std::string(given) : std::string();
}

Waits waits_for_continue(const Head& head) {
  return head.count(http::field::expect) != 0 && head.version() == 11 ? Waits::ForContinue
                                                                      : Waits::No;
}

std::expected<Request, Rejection> read_head(const Head& head) {
  Request request;
  request.method = head.method();
  request.request_id = request_id_of(head);
  request.last_event_id = std::string(head["Last-Event-ID"]);
  Outcome outcome = check_single(head);
  if (outcome) outcome = check_encodings(head);
  if (outcome) outcome = read_target(head.target(), request);
  if (outcome) outcome = read_bearer(head, request);
  if (outcome) outcome = read_key(head, request);
  if (!outcome) return std::unexpected(outcome.error());
  return request;
}

}  // namespace granary::api

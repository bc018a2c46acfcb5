#include "cli/api_client.h"

#include <boost/url.hpp>

#include "api/wire/problem.h"
#include "base/clock.h"

namespace granary::cli {

using base::Code;
using base::Result;

namespace {

std::string encoded(const std::string& text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

// What an answer that is no success says.
base::Error error_of(const HttpReply& reply, const Address& address) {
  const auto document = base::json::parse(reply.body, kMaxAnswerBytes);
  if (document) {
    const auto problem =
        api_wire::from_json<api_wire::Problem>(*document, api_wire::Unknown::Ignore);
    if (problem) return api_wire::to_error(*problem);
  }
  return {Code::Unavailable,
          fmt::format("{} answered {}, not as the API does", to_string(address), reply.status),
          "Look whether --api or GRANARY_API names the API's port, not the gateway's",
          {}};
}

}  // namespace

std::string path_of(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path += "/" + encoded(part);
  return path;
}

std::string with_query(std::string path, const Query& query) {
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += fmt::format("{}{}={}", separator, encoded(name), encoded(value));
    separator = '&';
  }
  return path;
}

ApiClient::ApiClient(Access access) : access_(std::move(access)), http_(access_.address) {}

Result<void> ApiClient::fetch(const std::string& target, Transfer transfer) {
  HttpRequest request{.method = http::verb::get, .target = target};
  request.sink = std::move(transfer.sink);
  request.progress = std::move(transfer.progress);
  request.token = access_.secret;
  TRY_ASSIGN(const HttpReply reply, http_.send(request));
  if (reply.status / 100 == 2) return {};
  return std::unexpected(refusal(reply));
}

// What a refusal says; where no token was known, why not.
base::Error ApiClient::refusal(const HttpReply& reply) const {
  base::Error error = error_of(reply, http_.address());
  if (error.code == Code::Unauthenticated && access_.secret.empty()) return access_.why_none;
  return error;
}

Result<void> ApiClient::check_answers() {
  const auto answer = http_.send({.target = "/healthz", .time = kHealthTime});
  if (answer) return {};
  if (answer.error().code != Code::Deadline) return std::unexpected(answer.error());
  return base::fail_with_advice(
      Code::Deadline,
      fmt::format("the platform is not ready: control, at {}, has not answered within {}",
                  to_string(http_.address()), base::format_duration(kHealthTime)),
      "Its process is stopped or overloaded: the log of granary up has its number (control is "
      "process ...). Kill it, and granary up starts it again");
}

Result<void> ApiClient::remove(const std::string& target) {
  TRY(exchange({.method = http::verb::delete_, .target = target}));
  return {};
}

Result<base::json::value> ApiClient::exchange(HttpRequest request) {
  request.token = access_.secret;
  TRY_ASSIGN(const HttpReply reply, http_.send(request));
  if (reply.status == 204) return base::json::value(nullptr);
  if (reply.status / 100 != 2) return std::unexpected(refusal(reply));
  auto document = base::json::parse(reply.body, kMaxAnswerBytes);
  if (!document) return std::unexpected(error_of(reply, http_.address()));
  return document;
}

}  // namespace granary::cli

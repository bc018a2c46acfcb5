// A request as handlers see it, and what they answer: values, checked and decoded, without HTTP's
// syntax. Made by head.h, answered through session.h.
#pragma once

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/wire/codec.h"
#include "api/wire/problem.h"
#include "base/json.h"
#include "base/os/folder.h"
#include "registry/token.h"

namespace granary::api {

namespace http = boost::beast::http;

struct Request {
  http::verb method = http::verb::get;
  std::string path;                           // as it came, without the query
  std::vector<std::string> segments;          // decoded
  std::map<std::string, std::string> places;  // what stands at the pattern's {names}
  std::map<std::string, std::string> query;   // decoded; each name once
  base::json::object body;
  std::string upload;  // path of the file that holds the body, where the route takes one
  std::string request_id;
  std::string idempotency_key;
  std::string last_event_id;
  std::string bearer;     // the secret; only the session looks at it
  registry::Token token;  // whose request it is, unless the route is public

  std::string actor() const { return "token/" + token.id; }
  std::string place(const std::string& name) const {
    const auto found = places.find(name);
    return found == places.end() ? std::string() : found->second;
  }
  std::string query_or(const std::string& name, std::string_view fallback) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string(fallback) : found->second;
  }
};

struct Response {
  // Whole: `body` is all of it. Events: the session goes on with the stream of changes. File: the
  // session sends all of `file`, a piece at a time.
  enum class Kind { Whole, Events, File };
  Kind kind = Kind::Whole;
  http::status status = http::status::ok;
  std::string type = "application/json";
  std::string body;
  std::unique_ptr<base::os::OpenFile> file;
  std::vector<std::pair<std::string, std::string>> headers;
};

// A refusal with the status that HTTP has for it, which need not be that of the error's code.
struct Rejection {
  http::status status = http::status::bad_request;
  base::Error error;
  std::vector<std::pair<std::string, std::string>> headers;
};

inline Rejection rejection_of(base::Error error) {
  const auto status = static_cast<http::status>(api_wire::http_status(error.code));
  return {status, std::move(error), {}};
}

template <class Document>
Response answer(const Document& document, http::status status = http::status::ok) {
  Response response;
  response.status = status;
  response.body = base::json::print(api_wire::to_json(document)) + "\n";
  return response;
}

inline Response answer_problem(const Rejection& rejection, const std::string& request_id) {
  api_wire::Problem problem = api_wire::to_problem(rejection.error, request_id);
  problem.status = static_cast<std::uint32_t>(rejection.status);
  Response response;
  response.status = rejection.status;
  response.headers = rejection.headers;
  response.type = api_wire::kProblemType;
  response.body = base::json::print(api_wire::to_json(problem)) + "\n";
  if (problem.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (problem.status == 429 || problem.status == 503)
    response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace granary::api

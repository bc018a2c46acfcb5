// The routes of the API: one declarative table, from which requests are dispatched, roles are
// checked and /v1/openapi.json is made. Constant; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "api/context.h"
#include "api/message.h"

namespace granary::api {

// References outlive the call.
using Handler = base::Task<base::Result<Response>> (*)(Context& context, Request request);

// None: a body is refused. Json: a document, or nothing where the schema requires no member.
// Bundle, Archive: a file.
enum class Body { None, Json, Bundle, Archive };

struct Parameter {
  std::string_view name;
  std::string_view summary;
};

struct Route {
  http::verb method = http::verb::get;
  std::string_view pattern;  // /v1/tenants/{tenant}
  Access access = Access::Operator;
  Body body = Body::None;
  Handler handler = nullptr;
  std::string_view name;  // the OpenAPI document's operationId
  std::string_view summary;
  std::vector<Parameter> query;  // all that it understands; others are refused
  std::string_view takes;        // schema of the body
  std::string_view gives;        // schema of the answer, or its media type
  http::status success = http::status::ok;
};

const std::vector<Route>& routes();

// The parts of a pattern between its slashes.
std::vector<std::string_view> parts_of(std::string_view pattern);
// "tenant" for "{tenant}"; nothing for a fixed part.
std::optional<std::string_view> place_in(std::string_view part);

struct Match {
  const Route* route = nullptr;     // null: no route with this path, or none with this method
  std::vector<http::verb> methods;  // all that the path has
};
// Fills in request.places.
Match match(Request& request);
// Errors: InvalidArgument for a parameter that the route does not understand.
base::Result<void> check_query(const Route& route, const Request& request);

}  // namespace granary::api

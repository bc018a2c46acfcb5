// The API's description, OpenAPI 3.1, made from the route table and the documents' descriptions:
// it cannot say what the server does not do. Pure.
#pragma once

#include "api/route.h"
#include "base/json.h"

namespace granary::api {

base::json::object openapi_document(const std::vector<Route>& routes);

}  // namespace granary::api

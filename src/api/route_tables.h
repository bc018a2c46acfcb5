// The parts of the table of routes, by topic; routes.cc puts them together. Internal to this room.
#pragma once

#include <vector>

#include "api/route.h"

namespace granary::api {

inline constexpr Parameter kAfter = {"after", "The `next` of the page before."};
inline constexpr Parameter kLimit = {"limit", "Items in a page: 1 to 1000, 100 where missing."};

// tenant_routes.cc
std::vector<Route> tenant_routes();
std::vector<Route> tenant_action_routes();
std::vector<Route> pin_routes();
std::vector<Route> domain_routes();
// archive_routes.cc
std::vector<Route> transfer_routes();  // exports and restores
std::vector<Route> archive_routes();
std::vector<Route> certificate_routes();
// platform_routes.cc
std::vector<Route> plan_routes();
std::vector<Route> secret_routes();
std::vector<Route> audit_routes();
std::vector<Route> drift_routes();
std::vector<Route> clock_routes();

}  // namespace granary::api

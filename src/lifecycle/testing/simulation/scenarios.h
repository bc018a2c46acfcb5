// The kinds of operations one by one, for boundaries.h: what has happened before each, and how it
// is asked for. Values.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lifecycle/testing/simulation/customers.h"

namespace granary::lifecycle::simulation {

// One request, as somebody who knows the world would make it now.
struct Asked {
  std::string kind;
  std::string tenant;  // empty: of no tenant
  Customer::Ask ask;
  std::function<void(Expected&)> applies;
  std::function<void(ExpectedGlobals&)> applies_globally;
};
using Make = std::function<Asked(World&)>;

struct Scenario {
  std::string name;
  std::vector<Make> before;
  Make act;
  // What must be true in the end when nothing but faults was in its way; else the reason.
  std::function<std::string(World&)> end;
};

// To add a kind of operation: an element.
std::vector<Scenario> scenarios();

}  // namespace granary::lifecycle::simulation

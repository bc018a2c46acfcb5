#include "api/route.h"

#include "base/text.h"

namespace granary::api {

using base::Code;
using base::Result;

namespace {

// The places of the pattern, or nothing when the path does not fit it.
std::optional<std::map<std::string, std::string>> fit(std::string_view pattern,
                                                      const std::vector<std::string>& segments) {
  const std::vector<std::string_view> parts = parts_of(pattern);
  if (parts.size() != segments.size()) return std::nullopt;
  std::map<std::string, std::string> places;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto place = place_in(parts[i]);
    if (place && !segments[i].empty()) {
      places[std::string(*place)] = segments[i];
    } else if (parts[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return places;
}

}  // namespace

std::vector<std::string_view> parts_of(std::string_view pattern) {
  std::vector<std::string_view> parts;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the slash
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    parts.push_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return parts;
}

std::optional<std::string_view> place_in(std::string_view part) {
  if (part.size() < 3 || part.front() != '{' || part.back() != '}') return std::nullopt;
  return part.substr(1, part.size() - 2);
}

Match match(Request& request) {
  Match match;
  for (const Route& route : routes()) {
    auto places = fit(route.pattern, request.segments);
    if (!places) continue;
    match.methods.push_back(route.method);
    if (route.method != request.method) continue;
    match.route = &route;
    request.places = std::move(*places);
  }
  return match;
}

Result<void> check_query(const Route& route, const Request& request) {
  std::vector<std::string_view> known;
  for (const Parameter& parameter : route.query) known.push_back(parameter.name);
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return base::fail_with_advice(
        Code::InvalidArgument, fmt::format("parameter {} is not known here", base::quote(name)),
        known.empty() ? "Leave it out: there are none"
                      : fmt::format("Known here: {}", fmt::join(known, ", ")));
  }
  return {};
}

}  // namespace granary::api

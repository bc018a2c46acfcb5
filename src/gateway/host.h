// What a Host field or the authority of a target may look like, and the name in it. Pure functions
// over outside text. Not for deciding whose host it is: see router.h.
#pragma once

#include <string>
#include <string_view>

namespace granary::gateway {

struct Authority {
  std::string name;  // lower case, without the dot at its end; an IPv6 literal keeps its brackets
  std::string port;  // digits; empty when none was given
  bool operator==(const Authority&) const = default;
};

// Parses "name", "name:port" or "[v6]:port" into `into`, whose strings are reused. False for
// whatever is not a host: empty, user info, spaces, letters that no host name has, a bad port.
bool parse_authority(std::string_view text, Authority& into);

bool equal_ignoring_case(std::string_view a, std::string_view b);
char to_lower(char c);

}  // namespace granary::gateway

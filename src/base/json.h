// Small helpers over Boost.JSON: reading members with an Error that names the member, and
// bounded parsing. Value semantics; usable anywhere.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace granary::base::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// Parses at most `max_bytes`, nested at most 32 deep; all numbers are finite. Errors:
// InvalidArgument, Exhausted.
Result<value> parse(std::string_view text, std::size_t max_bytes);
Result<object> parse_object(std::string_view text, std::size_t max_bytes);
std::string print(const value& document);

// Members. Errors: InvalidArgument, "member 'x' is missing / must be a string".
Result<std::string> get_string(const object& from, std::string_view name);
Result<std::int64_t> get_int(const object& from, std::string_view name);
// The same, or `fallback` where the member is missing or null.
Result<std::string> get_string_or(const object& from, std::string_view name,
                                  std::string_view fallback);
Result<std::int64_t> get_int_or(const object& from, std::string_view name, std::int64_t fallback);
Result<std::vector<std::string>> get_strings(const object& from, std::string_view name);
// The object or array at `name`, or null where it is missing or of another kind.
const object* find_object(const object& from, std::string_view name);
const array* find_array(const object& from, std::string_view name);

array from_strings(const std::vector<std::string>& texts);

// An Error as the API and the agent's protocol carry it, and back.
object from_error(const Error& error);
Error to_error(const object& from);

}  // namespace granary::base::json

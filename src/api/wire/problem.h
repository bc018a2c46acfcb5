// RFC 9457 problem documents, the one form of every error of the API, and the one mapping from
// error codes to HTTP statuses. Value types and pure functions.
#pragma once

#include <boost/describe/class.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace granary::api_wire {

struct Problem {
  std::string type;   // urn:granary:problem:CODE
  std::string title;  // the same for every problem of one code
  std::uint32_t status = 500;
  std::string detail;
  std::string code;  // stable: base::to_string(Code)
  std::string advice;
  std::vector<std::string> context;
  std::string request_id;
  bool operator==(const Problem&) const = default;
};
BOOST_DESCRIBE_STRUCT(Problem, (), (type, title, status, detail, code, advice, context, request_id))

inline constexpr std::string_view kProblemType = "application/problem+json";

std::uint32_t http_status(base::Code code);
std::string_view title(base::Code code);

Problem to_problem(const base::Error& error, const std::string& request_id);
base::Error to_error(const Problem& problem);

}  // namespace granary::api_wire

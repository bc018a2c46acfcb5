#include "api/wire/problem.h"

namespace granary::api_wire {

using base::Code;

std::uint32_t http_status(Code code) {
  switch (code) {
    case Code::InvalidArgument:
      return 400;
    case Code::Unauthenticated:
      return 401;
    case Code::Refused:
      return 403;
    case Code::NotFound:
      return 404;
    case Code::AlreadyExists:
    case Code::Conflict:
      return 409;
    case Code::Exhausted:
      return 429;
    case Code::NoRoom:
      return 507;
    case Code::NotSupported:
      return 501;
    case Code::Unavailable:
    case Code::Cancelled:
      return 503;
    case Code::Deadline:
      return 504;
    case Code::DataLoss:
    case Code::Internal:
      return 500;
  }
  return 500;
}

std::string_view title(Code code) {
  switch (code) {
    case Code::InvalidArgument:
      return "The request is not valid";
    case Code::Unauthenticated:
      return "A valid token is needed";
    case Code::Refused:
      return "This is not allowed";
    case Code::NotFound:
      return "There is no such thing";
    case Code::AlreadyExists:
      return "It exists already";
    case Code::Conflict:
      return "Its state does not allow this now";
    case Code::Exhausted:
      return "A limit was met";
    case Code::NoRoom:
      return "The disk is full";
    case Code::NotSupported:
      return "This is not supported";
    case Code::Unavailable:
      return "A part that is needed is away";
    case Code::Deadline:
      return "It took too long";
    case Code::Cancelled:
      return "It was cancelled";
    case Code::DataLoss:
      return "Stored data is damaged";
    case Code::Internal:
      break;
  }
  return "Something is broken";
}

Problem to_problem(const base::Error& error, const std::string& request_id) {
  Problem problem;
  problem.code = base::to_string(error.code);
  problem.type = "urn:granary:problem:" + problem.code;
  problem.title = title(error.code);
  problem.status = http_status(error.code);
  problem.detail = error.message;
  problem.advice = error.advice;
  problem.context = error.context;
  problem.request_id = request_id;
  return problem;
}

base::Error to_error(const Problem& problem) {
  return {base::code_from(problem.code), problem.detail, problem.advice, problem.context};
}

}  // namespace granary::api_wire

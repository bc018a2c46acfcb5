#include "base/result.h"

#include <array>

namespace granary::base {
namespace {

struct Name {
  Code code;
  std::string_view text;
};

constexpr std::array kNames = {
    Name{Code::InvalidArgument, "invalid_argument"},
    Name{Code::Unauthenticated, "unauthenticated"},
    Name{Code::Refused, "refused"},
    Name{Code::NotFound, "not_found"},
    Name{Code::AlreadyExists, "already_exists"},
    Name{Code::Conflict, "conflict"},
    Name{Code::Exhausted, "exhausted"},
    Name{Code::NoRoom, "no_room"},
    Name{Code::NotSupported, "not_supported"},
    Name{Code::Unavailable, "unavailable"},
    Name{Code::Deadline, "deadline"},
    Name{Code::Cancelled, "cancelled"},
    Name{Code::DataLoss, "data_loss"},
    Name{Code::Internal, "internal"},
};

}  // namespace

std::string_view to_string(Code code) {
  for (const Name& name : kNames) {
    if (name.code == code) return name.text;
  }
  return "internal";
}

Code code_from(std::string_view name) {
  for (const Name& known : kNames) {
    if (known.text == name) return known.code;
  }
  return Code::Internal;
}

std::string describe(const Error& error) {
  std::string text = error.message;
  for (const std::string& frame : error.context) text += " (while " + frame + ")";
  if (!error.advice.empty()) text += ". " + error.advice;
  return text;
}

Failure annotate(Error error, std::string context) {
  error.context.push_back(std::move(context));
  return Failure(std::move(error));
}

bool is_transient(Code code) {
  switch (code) {
    case Code::Unavailable:
    case Code::Deadline:
    case Code::Exhausted:
    case Code::NoRoom:
      return true;
    case Code::InvalidArgument:
    case Code::Unauthenticated:
    case Code::Refused:
    case Code::NotFound:
    case Code::AlreadyExists:
    case Code::Conflict:
    case Code::NotSupported:
    case Code::Cancelled:
    case Code::DataLoss:
    case Code::Internal:
      return false;
  }
  return false;
}

}  // namespace granary::base

#include "cli/exit_code.h"

namespace granary::cli {

using base::Code;

ExitCode exit_code(Code code) {
  switch (code) {
    case Code::InvalidArgument:
      return ExitCode::WrongUsage;
    case Code::NotFound:
      return ExitCode::NoSuchThing;
    case Code::Unauthenticated:
    case Code::Refused:
    case Code::AlreadyExists:
    case Code::Conflict:
    case Code::Exhausted:
    case Code::NotSupported:
      return ExitCode::Refused;
    case Code::Unavailable:
    case Code::Deadline:
      return ExitCode::NotReachable;
    case Code::Cancelled:
    case Code::NoRoom:
    case Code::DataLoss:
    case Code::Internal:
      break;
  }
  return ExitCode::Failed;
}

}  // namespace granary::cli

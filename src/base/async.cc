#include "base/async.h"

#include <boost/asio/error.hpp>

namespace granary::base {

Error from_asio(const ErrorCode& error, std::string_view doing) {
  Code code = Code::Unavailable;
  if (error == asio::error::operation_aborted) code = Code::Cancelled;
  if (error == asio::error::timed_out) code = Code::Deadline;
  if (error == asio::error::no_descriptors || error == asio::error::no_memory)
    code = Code::Exhausted;
  return Error{code, fmt::format("{}: {}", doing, error.message()), {}, {}};
}

}  // namespace granary::base

#include "base/contained.h"

#include <boost/system/system_error.hpp>

namespace granary::base {
namespace {

Error fault(const char* what) {
  return {Code::Internal,
          fmt::format("a fault of Granary itself: {}", what),
          "Please report it, with the log around this time",
          {}};
}

}  // namespace

Error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted)
      return {Code::Cancelled, "it was cancelled", {}, {}};
    return fault(error.what());
  } catch (const std::exception& error) {
    return fault(error.what());
  } catch (...) {
    return fault("an unknown exception");
  }
}

}  // namespace granary::base

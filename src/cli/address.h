// Where the API is: http://HOST:PORT or unix:/PATH. A value type.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace granary::cli {

struct Address {
  std::string host;  // empty: a unix socket
  std::string port;
  std::string unix_path;
  bool operator==(const Address&) const = default;

  // On this machine: its operator token may be used there.
  bool is_local() const;
};

// Errors: InvalidArgument, NotSupported (https).
base::Result<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);

}  // namespace granary::cli

#include "cli/address.h"

#include <boost/asio/ip/address.hpp>
#include <boost/url.hpp>

#include "base/text.h"

namespace granary::cli {

using base::Code;
using base::Result;

namespace {

base::Failure no_address(std::string_view text) {
  return base::fail_with_advice(
      Code::InvalidArgument, fmt::format("{} is not a valid address of an API", base::quote(text)),
      "Give one like http://127.0.0.1:8081 or unix:/run/granary/api.sock");
}

}  // namespace

bool Address::is_local() const {
  if (host.empty() || host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

Result<Address> parse_address(std::string_view text) {
  Address address;
  if (text.starts_with("unix:")) {
    address.unix_path = std::string(text.substr(5));
    if (!address.unix_path.starts_with('/')) return no_address(text);
    return address;
  }
  const std::string full = text.find("://") == std::string_view::npos
                               ? "http://" + std::string(text)
                               : std::string(text);
  const auto url = boost::urls::parse_uri(full);
  if (!url) return no_address(text);
  if (url->scheme() == "https")
    return base::fail_with_advice(Code::NotSupported, "https is not supported yet",
                                  "Reach the API through an SSH tunnel to its machine");
  const bool only_host = url->encoded_path().empty() || url->encoded_path() == "/";
  if (url->scheme() != "http" || url->host_address().empty() || !only_host || url->has_query() ||
      url->has_userinfo())
    return no_address(text);
  address.host = url->host_address();
  address.port = url->has_port() ? std::string(url->port()) : "8081";
  return address;
}

std::string to_string(const Address& address) {
  if (address.host.empty()) return "unix:" + address.unix_path;
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

}  // namespace granary::cli

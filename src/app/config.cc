#include "app/config.h"

#include <algorithm>
#include <charconv>

#include "app/limits.h"
#include "base/os/child.h"
#include "base/os/tcp_listener.h"
#include "base/text.h"

namespace granary::app {

using base::Code;
using base::Result;

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint{"127.0.0.1", 0};
  std::string_view port = text;
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    endpoint.address = host;
    port = text.substr(colon + 1);
  }
  unsigned number = 0;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == port.data() + port.size();
  if (!whole || port.empty() || number > 65535 || endpoint.address.empty())
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("'{}' is not a valid address to listen on", text),
                                  "Write ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080");
  endpoint.port = static_cast<std::uint16_t>(number);
  return endpoint;
}

Result<std::optional<Endpoint>> parse_endpoint_or_off(std::string_view text) {
  if (text == "off") return std::nullopt;
  TRY_ASSIGN(Endpoint endpoint, parse_endpoint(text));
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.address.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), endpoint.address, endpoint.port);
}

Result<void> check_tls(const Config& config) {
  if (!config.gateway_tls && config.certificates.empty()) return {};
  if (config.gateway_tls && config.certificates.starts_with('/')) return {};
  const bool relative = config.gateway_tls && !config.certificates.empty();
  return base::fail_with_advice(
      Code::InvalidArgument,
      relative ? fmt::format("--certificates '{}' is not an absolute path", config.certificates)
               : "--gateway-tls and --certificates go together",
      "Give both, such as --gateway-tls 0.0.0.0:443 --certificates /etc/granary/certificates");
}

namespace {

bool is_label(std::string_view label) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, plain);
}

struct Named {
  const char* option;
  Endpoint endpoint;
};

std::vector<Named> listeners_of(const Config& config) {
  std::vector<Named> all = {{"--gateway", config.gateway}, {"--api", config.api}};
  if (config.gateway_tls) all.push_back({"--gateway-tls", *config.gateway_tls});
  if (config.gateway_admin) all.push_back({"--gateway-admin", *config.gateway_admin});
  if (config.egress_admin) all.push_back({"--egress-admin", *config.egress_admin});
  return all;
}

// One of all addresses has every other one's port too.
bool collide(const Endpoint& one, const Endpoint& other) {
  const auto any = [](const Endpoint& endpoint) {
    return endpoint.address == "0.0.0.0" || endpoint.address == "::";
  };
  return one.port == other.port && one.port != 0 &&
         (one.address == other.address || any(one) || any(other));
}

}  // namespace

Result<void> check_domain(const Config& config) {
  bool good = config.domain.size() <= kLongestDomain;
  for (std::string_view rest = config.domain; good;) {
    const std::size_t dot = rest.find('.');
    good = is_label(rest.substr(0, dot));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (good) return {};
  return base::fail_with_advice(
      Code::InvalidArgument, fmt::format("--domain {} is not a domain", base::quote(config.domain)),
      "Give the part of the host name that all tenants share, in lower case and in ASCII, such as "
      "example.com");
}

Result<void> check_addresses(const Config& config) {
  const std::vector<Named> all = listeners_of(config);
  for (auto one = all.begin(); one != all.end(); ++one) {
    if (!base::os::is_ip_address(one->endpoint.address))
      return base::fail_with_advice(
          Code::InvalidArgument,
          fmt::format("{} {}: {} is not an IP address", one->option, to_string(one->endpoint),
                      base::quote(one->endpoint.address)),
          "Give the address of an interface of this machine, or 0.0.0.0 for all of them");
    const auto other = std::find_if(std::next(one), all.end(), [&](const Named& later) {
      return collide(one->endpoint, later.endpoint);
    });
    if (other != all.end())
      return base::fail_with_advice(
          Code::InvalidArgument,
          fmt::format("{} {} and {} {} cannot both listen on one port", one->option,
                      to_string(one->endpoint), other->option, to_string(other->endpoint)),
          "Give each a port of its own");
  }
  return {};
}

std::string public_scheme(const Config& config) { return config.gateway_tls ? "https" : "http"; }

std::string public_host(const Config& config) {
  const std::uint16_t port = config.gateway_tls ? config.gateway_tls->port : config.gateway.port;
  if (port == (config.gateway_tls ? 443 : 80)) return config.domain;
  return fmt::format("{}:{}", config.domain, port);
}

namespace {

base::os::Ownership identity(std::uint32_t number) {
  if (!base::os::is_root()) return {base::os::own_uid(), base::os::own_gid()};
  return {number, number};
}

}  // namespace

base::os::Ownership control_identity(const Config& config) { return identity(config.uid_base); }
base::os::Ownership gateway_identity(const Config& config) { return identity(config.uid_base + 1); }
base::os::Ownership egress_identity(const Config& config) { return identity(config.uid_base + 2); }

std::uint32_t account_uid_base(const Config& config) { return config.uid_base + kFirstAccount; }

std::vector<std::string> role_arguments(const Config& config) {
  std::vector<std::string> arguments = {
      "--data-dir",      config.data_dir,
      "--gateway",       to_string(config.gateway),
      "--api",           to_string(config.api),
      "--gateway-admin", config.gateway_admin ? to_string(*config.gateway_admin) : "off",
      "--egress-admin",  config.egress_admin ? to_string(*config.egress_admin) : "off",
      "--domain",        config.domain,
      "--isolation",     config.isolation == Isolation::Full ? "full" : "none",
      "--uid-base",      std::to_string(config.uid_base),
      "--memory-budget", std::to_string(config.memory_budget_bytes),
      "--keep-releases", std::to_string(config.keep_releases),
      "--log-level",     config.log_level,
      "--started-by",    "up"};
  if (config.gateway_tls) {
    arguments.insert(arguments.end(), {"--gateway-tls", to_string(*config.gateway_tls),
                                       "--certificates", config.certificates, "--redirect-to-https",
                                       config.redirect_to_https == Redirect::On ? "on" : "off"});
  }
  for (const std::string& network : config.egress_allow) {
    arguments.emplace_back("--egress-allow");
    arguments.push_back(network);
  }
  return arguments;
}

}  // namespace granary::app

// What `granary up` is told, and what follows from it: who the roles run as and how each of them
// is started. A value; the command line is its only source (options may also stand in a file).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "base/result.h"
#include "wire/paths.h"

namespace granary::app {

enum class Isolation { Full, None };
enum class Output { Table, Json };
enum class Redirect { On, Off };
// Of a role's process: `up` holds the data directory for those that it starts.
enum class StartedBy { Operator, Up };

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

struct Config {
  std::string data_dir = "/var/lib/granary";
  Endpoint gateway{"127.0.0.1", 8080};
  // Where the gateway ends TLS, with the certificates of this folder; nothing: no TLS.
  std::optional<Endpoint> gateway_tls;
  std::string certificates;
  Redirect redirect_to_https = Redirect::On;
  Endpoint api{"127.0.0.1", 8081};
  std::string domain = "localhost";
  Isolation isolation = Isolation::Full;
  // Users by number, so that nothing has to be created on the machine: control, gateway, egress,
  // and from uid_base + kFirstAccount on the accounts, each uid_base + kFirstAccount + ordinal.
  std::uint32_t uid_base = 200'000;
  std::uint64_t memory_budget_bytes = 0;  // for running silos; 0: half of the machine's memory
  std::uint32_t keep_releases = 10;       // of each app, however old and unused
  std::string log_level = "info";
  // The gateway's /healthz, /readyz and /metrics; nothing: not served.
  std::optional<Endpoint> gateway_admin = Endpoint{"127.0.0.1", 8082};
  // The egress role's, likewise.
  std::optional<Endpoint> egress_admin = Endpoint{"127.0.0.1", 8083};
  // Networks that apps may connect to although they are private, as egress::Network reads them.
  std::vector<std::string> egress_allow;
  Output output = Output::Table;  // of doctor
  std::string asked_api;          // of doctor: where else than at `api` the API is; empty: there
  StartedBy started_by = StartedBy::Operator;
};

inline constexpr std::uint32_t kFirstAccount = 100;
// Of a new installation: users below are the machine's own (people, services, nobody), and so many
// from --uid-base on are kept free of others, since accounts take one each and give none back.
inline constexpr std::uint32_t kLeastUidBase = 100'000;
inline constexpr std::uint32_t kUsers = 200'000;

// "127.0.0.1:8080", "[::1]:8080", "8080". Errors: InvalidArgument.
base::Result<Endpoint> parse_endpoint(std::string_view text);
// The same, or "off": nowhere.
base::Result<std::optional<Endpoint>> parse_endpoint_or_off(std::string_view text);
std::string to_string(const Endpoint& endpoint);
// Errors: InvalidArgument for TLS without certificates or the other way round, and for a folder
// that is not absolute, since each role has a working directory of its own.
base::Result<void> check_tls(const Config& config);
// Errors: InvalidArgument for a domain that no tenant's host can end with.
base::Result<void> check_domain(const Config& config);
// Errors: InvalidArgument for what is no IP address, and for two listeners at one address.
base::Result<void> check_addresses(const Config& config);
// How clients reach tenants: https where the gateway ends TLS, otherwise http.
std::string public_scheme(const Config& config);
// The host part of a tenant's address: DOMAIN, with the port unless it is the scheme's own.
std::string public_host(const Config& config);

// As root: the roles' own users. Otherwise all are the caller.
base::os::Ownership control_identity(const Config& config);
base::os::Ownership gateway_identity(const Config& config);
base::os::Ownership egress_identity(const Config& config);
std::uint32_t account_uid_base(const Config& config);

// The options that a role's process is started with, after its subcommand.
std::vector<std::string> role_arguments(const Config& config);

}  // namespace granary::app

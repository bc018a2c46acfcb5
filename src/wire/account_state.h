// What an account is to be (desired) and what it is (reported): the documents that the control
// plane's host driver and the agent exchange, and that the agent keeps on disk so that it needs
// nobody to go on. Value types with a JSON form; the codec refuses what it does not know.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"

namespace granary::wire {

struct Limits {
  std::uint64_t memory_bytes = 128ULL << 20;
  std::uint32_t cpu_millis = 500;  // thousandths of one core
  std::uint32_t processes = 64;
  std::uint32_t in_flight = 100;  // requests at once; held by the gateway
  bool operator==(const Limits&) const = default;
};

struct ServiceSpec {
  std::string name;
  std::vector<std::string> command;
  std::uint16_t port = 0;  // 0: the app inherits the listening socket (LISTEN_FDS)
  std::vector<std::string> routes;
  std::string health;                             // path; empty: none
  std::optional<std::chrono::milliseconds> idle;  // nothing: never asleep
  std::chrono::milliseconds start_timeout{10'000};
  std::chrono::milliseconds stop_timeout{10'000};
  Limits limits;
  std::map<std::string, std::string> env;
  bool egress = false;     // it finds the way out: which hosts, the egress policy says
  std::uint32_t slot = 0;  // on the activity board; assigned by control, never reused while in use
  bool operator==(const ServiceSpec&) const = default;
};

enum class Traffic { Allowed, Suspended };

struct AccountSpec {
  base::AccountId account;
  std::uint32_t ordinal = 0;  // small and unique for ever: the uid is uid_base + ordinal
  std::uint64_t disk_bytes = 1ULL << 30;
  std::string release_hash;  // empty: nothing is deployed yet
  std::string release_name;  // what APP_RELEASE says
  Traffic traffic = Traffic::Allowed;
  std::string config_json = "{}";  // /run/config.json
  // Files of SECRETS_DIR: name to value. Never in a report or a log; on disk only sealed.
  std::map<std::string, std::string> secrets;
  std::vector<ServiceSpec> services;
  std::uint64_t version = 0;  // grows with every change; an older one is refused
  bool operator==(const AccountSpec&) const = default;
};

enum class ServicePhase { Asleep, Starting, Running, Stopping, BackingOff };

struct ServiceReport {
  std::string name;
  ServicePhase phase = ServicePhase::Asleep;
  std::uint32_t crashes = 0;     // in a row
  std::string last_failure;      // for people: step, cause and advice; empty when well
  std::int64_t retry_in_ms = 0;  // while backing off
  std::int64_t pid = 0;          // of the silo's init as the host sees it; 0 when asleep
  std::uint64_t memory_bytes = 0;
  std::uint64_t wakes = 0;  // since the agent started
  bool operator==(const ServiceReport&) const = default;
};

struct AccountReport {
  base::AccountId account;
  std::uint64_t version = 0;  // of the spec that is in force; 0: none, see `problem`
  std::string release_hash;
  std::string isolation;              // "full" or "none"
  std::uint64_t disk_used_bytes = 0;  // allocated blocks of the image
  std::uint64_t disk_quota_bytes = 0;
  std::string encryption = "none";  // of the disk: the cipher
  std::vector<ServiceReport> services;
  bool yields_cpu = false;  // it has used much of late, and runs where no other account wants to
  std::string problem;      // what of it is broken on disk, for people; empty: nothing
  bool operator==(const AccountReport&) const = default;
};

std::string_view to_string(ServicePhase phase);
std::string_view to_string(Traffic traffic);

base::json::object to_json(const ServiceSpec& spec);
base::json::object to_json(const AccountSpec& spec);
base::json::object to_json(const AccountReport& report);
// Errors: InvalidArgument naming the member.
base::Result<ServiceSpec> service_spec_from(const base::json::object& from);
base::Result<AccountSpec> account_spec_from(const base::json::object& from);
base::Result<AccountReport> account_report_from(const base::json::object& from);

}  // namespace granary::wire

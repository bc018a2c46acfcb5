// A cloud, as the control plane sees it: what makes a tenant's account real. Declared by its
// consumer (lifecycle); implemented by cloud/host, cloud/aws and cloud/sim. Drivers keep no
// database: they list what exists. Every verb is idempotent and may be called again after a lost
// answer. Lives on control's executor.
#pragma once

#include <string>
#include <vector>

#include "base/async.h"
#include "base/ids.h"

namespace granary::cloud {

enum class Traffic { Allowed, Suspended };

// Everything an account is to be. Given whole each time: the driver finds out what to change.
struct Desired {
  base::AccountId account;
  std::uint32_t ordinal = 0;  // unique for ever among all accounts of the installation
  std::uint64_t disk_bytes = 0;
  base::ReleaseId release;  // empty: the account alone, nothing deployed
  std::string release_hash;
  // The services of the release: an array of the JSON form of wire::ServiceSpec (also what
  // release::Manifest prints), each with its slot on the activity board.
  std::string services_json = "[]";
  std::string config_json = "{}";  // /run/config.json
  Traffic traffic = Traffic::Allowed;
  std::uint64_t version = 0;  // grows with every change of this account
  bool operator==(const Desired&) const = default;
};

struct ServiceStatus {
  std::string name;
  std::string phase;         // asleep, starting, running, stopping, backing_off
  std::string last_failure;  // for people; empty when well
  std::uint64_t memory_bytes = 0;
  std::uint64_t wakes = 0;
  bool operator==(const ServiceStatus&) const = default;
};

// What is.
struct Actual {
  base::AccountId account;
  std::string release_hash;  // empty: nothing deployed
  std::uint64_t version = 0;
  std::string isolation;  // full, none, or the cloud's own word
  std::uint64_t disk_used_bytes = 0;
  std::uint64_t disk_quota_bytes = 0;
  std::string encryption = "none";  // of its disk: the cipher, or the cloud's own word
  std::vector<ServiceStatus> services;
  bool operator==(const Actual&) const = default;
};

struct Page {
  std::vector<Actual> accounts;
  std::string next;  // empty: the last page
};

class Driver {
 public:
  virtual ~Driver() = default;

  // Makes a release's files available to accounts. Called before the first deployment of it.
  virtual base::Task<base::Result<void>> prepare_release(std::string release_hash) = 0;
  // Makes or changes the account so that it is as desired; resolves when it is.
  // Errors: Exhausted (quota of the cloud), Unavailable (retry), Refused, Conflict (older version).
  virtual base::Task<base::Result<Actual>> converge(Desired desired) = 0;
  // Destroys the account and all its data. Unknown: success.
  virtual base::Task<base::Result<void>> destroy(base::AccountId account) = 0;
  // Errors: NotFound.
  virtual base::Task<base::Result<Actual>> describe(base::AccountId account) = 0;
  // Accounts in order of their id, from the one after `after`.
  virtual base::Task<base::Result<Page>> list(std::string after, std::uint32_t limit) = 0;
  // Lines that the service wrote, from `cursor` on (0: from the oldest kept).
  struct LogChunk {
    std::vector<std::string> lines;
    std::uint64_t cursor = 0;  // where to go on
  };
  virtual base::Task<base::Result<LogChunk>> read_log(base::ServiceId service,
                                                      std::uint64_t cursor) = 0;
};

}  // namespace granary::cloud

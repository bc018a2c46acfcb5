// A cloud, as the control plane sees it: what makes a tenant's account real. Declared by its
// consumer (lifecycle); implemented by cloud/host, cloud/aws and cloud/sim. Drivers keep no
// database: they list what exists. Every verb is idempotent and may be called again after a lost
// answer. Lives on control's executor.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/ids.h"
#include "base/left_out.h"

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
  // Files of SECRETS_DIR: name to value. Never logged, never in an Actual.
  std::map<std::string, std::string> secrets;
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
  bool yields_cpu = false;  // it has used much of late, and runs where no other account wants to
  std::string problem;      // what of it is broken, for people; empty: nothing
  bool operator==(const Actual&) const = default;
};

struct Page {
  std::vector<Actual> accounts;
  std::string next;  // empty: the last page
};

// All data of an account as one file, as the cloud wrote it.
struct DataExport {
  std::uint64_t bytes = 0;              // of the file
  std::string sha256;                   // of the file, 64 hex digits
  std::uint64_t files = 0;              // that it holds
  std::uint64_t data_bytes = 0;         // of their contents
  std::chrono::microseconds paused{0};  // how long the account's writes were held back
  base::LeftOut left_out;               // what of it no file holds
  bool operator==(const DataExport&) const = default;
};

class Driver {
 public:
  virtual ~Driver() = default;

  // Makes a release's files available to accounts. Called before the first deployment of it.
  virtual base::Task<base::Result<void>> prepare_release(std::string release_hash) = 0;
  // Frees what prepare_release took up. Unknown: success. Errors: Conflict (an account is at it).
  virtual base::Task<base::Result<void>> forget_release(std::string /*release_hash*/) {
    co_return base::Result<void>();  // where nothing is unpacked
  }
  // Makes or changes the account so that it is as desired; resolves when it is.
  // One that is broken is mended where nothing is lost by it.
  // Errors: Exhausted (quota of the cloud), Unavailable (retry), Refused, Conflict (older version),
  // DataLoss (its data is gone; not while its traffic is suspended, so that it can be imported).
  virtual base::Task<base::Result<Actual>> converge(Desired desired) = 0;
  // Destroys the account and all its data. Unknown: success.
  virtual base::Task<base::Result<void>> destroy(base::AccountId account) = 0;
  // Writes all data of the account, as it was at one moment between the call and its answer, into
  // the transfer of that name, which is made anew. The account keeps working; no write is lost.
  // Errors: NotFound, Exhausted (no room), Unavailable.
  virtual base::Task<base::Result<DataExport>> export_data(base::AccountId account,
                                                           std::string transfer) = 0;
  // Puts the data of a transfer in the place of all data of the account, whole or not at all. The
  // account's traffic is suspended before, and it exists. `sha256` is the file's.
  // Errors: NotFound, InvalidArgument (no data archive, damaged, or one that leaves its tree),
  // Exhausted (more than its disk holds), Conflict (its services may run).
  virtual base::Task<base::Result<void>> import_data(base::AccountId account, std::string transfer,
                                                     std::string sha256) = 0;
  // Errors: NotFound.
  virtual base::Task<base::Result<Actual>> describe(base::AccountId account) = 0;
  // Accounts in order of their id, from the one after `after`.
  virtual base::Task<base::Result<Page>> list(std::string after, std::uint32_t limit) = 0;
  // Lines that the service wrote, from `cursor` on (0: from the oldest kept). A service without a
  // name: the account's access log, a line for each request that the gateway answered for it.
  struct LogChunk {
    std::vector<std::string> lines;
    std::uint64_t cursor = 0;  // where to go on
  };
  virtual base::Task<base::Result<LogChunk>> read_log(base::ServiceId service,
                                                      std::uint64_t cursor) = 0;
};

}  // namespace granary::cloud

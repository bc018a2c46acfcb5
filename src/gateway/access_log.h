// One line for each request of an account, into a file of the account's own. Lines are gathered in
// memory and written by a worker every second, so that no request waits for a disk; when the disk
// is too slow they are dropped and counted. The files of accounts that are no more are removed.
// Owned by the Gateway; one thread.
//
//   2026-11-24T07:13:00.123Z 127.0.0.1 acme.localhost "GET /api/scans HTTP/1.1" 200 512 0.004 ID
//   time, client, host, request, status, bytes sent, seconds, request id
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/timer.h"
#include "base/worker.h"
#include "wire/ordinals.h"
#include "wire/paths.h"

namespace granary::gateway {

struct AccessEntry {
  std::string_view client;
  std::string_view host;
  std::string_view method;
  std::string_view target;
  std::string_view request_id;
  int status = 0;
  std::uint64_t bytes = 0;
  base::BootTime began{0};
  base::BootTime ended{0};
};

class AccessLog final {
 public:
  // All outlive the log.
  struct Parts {
    const wire::Paths& paths;
    const base::Clock& clock;
    base::Timer& timer;
    base::Worker& worker;
  };
  explicit AccessLog(Parts parts) : parts_(parts) {}

  void add(const base::AccountId& account, std::uint32_t ordinal, const AccessEntry& entry);
  // Nothing is written of these any more, and what was written goes with the next flush.
  void forget(const wire::OrdinalRanges& gone);
  // Writes what was gathered, every kLogPause; ends by cancellation.
  base::Task<void> run();
  // Once: for the end.
  base::Task<void> flush();
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Batch {
    std::string path;
    std::string lines;
  };
  struct Pending {
    std::string account;
    std::string lines;
  };
  void add_time(std::string& line, base::BootTime at);
  base::Task<void> remove_gone();
  static void write(const std::vector<Batch>& batches);

  Parts parts_;
  std::unordered_map<std::uint32_t, Pending> pending_;  // by ordinal
  std::size_t bytes_ = 0;                               // gathered or being written
  std::uint64_t dropped_ = 0;
  std::string second_;  // as text, for the entries that end within it
  base::BootTime second_began_{0};
  wire::OrdinalRanges gone_;
  bool removing_ = false;  // files of gone_ may be there
};

}  // namespace granary::gateway

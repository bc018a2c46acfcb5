// What each account has sent and received through the proxy, ever: counted in memory, kept in one
// file that is replaced whole every few seconds while something changes. By ordinal: a later
// account of the same name begins at zero. Owned by the Proxy; one thread, the file on a worker.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/timer.h"
#include "base/worker.h"
#include "wire/egress_policy.h"

namespace granary::egress {

struct Usage {
  std::uint64_t bytes_up = 0;    // from the app to the outside; the CONNECT itself does not count
  std::uint64_t bytes_down = 0;  // and back
  std::uint64_t connections = 0;
  std::uint64_t refused = 0;  // asked for, but not allowed
  bool operator==(const Usage&) const = default;
};

class UsageBook final {
 public:
  struct Row {
    std::string account;
    std::shared_ptr<Usage> usage;  // owned by this and by the account, which may outlive the row
  };
  using Table = std::map<std::uint32_t, Row>;  // by ordinal

  struct Parts {  // all outlive the book
    base::Timer& timer;
    base::Worker& worker;
  };
  UsageBook(std::string file, Parts parts) : file_(std::move(file)), parts_(parts) {}

  // Takes up what the file says, if there is one. One that cannot be read is put aside as
  // FILE.damaged, and counting begins at zero. Errors: of the system.
  base::Task<base::Result<void>> load();
  // Shared with the account's connections, which may outlive what is kept here. Call changed()
  // after changing it.
  std::shared_ptr<Usage> of(const base::AccountId& account, std::uint32_t ordinal);
  void changed() { changed_ = true; }
  // Of these nothing is kept any more.
  void forget(const wire::OrdinalRanges& gone);

  // Saves every kUsagePause; ends by cancellation.
  base::Task<void> run();
  // Once, if something has changed: for the end.
  base::Task<void> save();

 private:
  std::string file_;
  Parts parts_;
  Table usage_;
  bool changed_ = false;
};

}  // namespace granary::egress

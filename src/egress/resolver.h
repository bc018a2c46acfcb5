// Turns names into addresses: an interface, so that tests answer themselves, and the machine's own
// resolver behind it. Lives on one executor; the waiting happens on a worker's threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/task_group.h"
#include "base/worker.h"
#include "egress/address.h"

namespace granary::egress {

using Addresses = std::vector<Address>;

class Resolver {
 public:
  virtual ~Resolver() = default;
  // In the order in which they are to be tried; never empty. Cancelling the caller does not stop
  // the lookup. Errors: NotFound (there is no such name), Unavailable, Exhausted.
  virtual base::Task<base::Result<Addresses>> resolve(std::string host) = 0;
};

// As all programs of this machine resolve (/etc/hosts, DNS); blocks. Any thread.
base::Result<Addresses> look_up(const std::string& host);

// Lookups of one name at the same time share one. Nothing is remembered: the answer is as fresh as
// the machine's own resolver gives it.
class SharedResolver final : public Resolver {
 public:
  using Lookup = std::function<base::Result<Addresses>(const std::string&)>;
  // `worker` outlives the resolver; each of its threads does one lookup at a time.
  SharedResolver(base::asio::any_io_executor executor, base::Worker& worker, Lookup lookup);

  base::Task<base::Result<Addresses>> resolve(std::string host) override;
  // Waits for the lookups under way.
  base::Task<void> close();

 private:
  struct Shared;
  base::Task<void> run(std::string host, std::shared_ptr<Shared> shared);

  base::asio::any_io_executor executor_;
  base::Worker& worker_;
  Lookup lookup_;
  // Those under way. Each is owned by this, by its task, and by those that wait for it.
  std::map<std::string, std::shared_ptr<Shared>> running_;
  base::TaskGroup tasks_;
};

}  // namespace granary::egress

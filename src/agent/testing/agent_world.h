// Accounts over a fake machine in virtual time, with their files in a temporary folder.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "agent/accounts.h"
#include "agent/testing/fake_host.h"
#include "base/testing/world.h"

namespace granary::agent {

// How an app ends that starts badly.
inline const SiloEnd kCrash{.kind = SiloEnd::Kind::Exited, .value = 1, .detail = "boom"};

class AgentWorld : public ::testing::Test {
 public:
  ~AgentWorld() override;

 protected:
  AgentWorld();

  // Makes the Accounts anew over what is on disk and still runs, as a restarted agent does.
  void restart();
  AccountsParts parts();

  // An account with one service `api` that sleeps after 60 s, at a release that is there.
  wire::AccountSpec spec_of(const std::string& account);
  void apply(const wire::AccountSpec& spec);
  base::ServiceId api(const std::string& account) const {
    return {base::AccountId(account), "api"};
  }
  wire::AgentResult<std::uint32_t> activate(const std::string& account);
  wire::ServiceReport report(const std::string& account);
  wire::BoardSlot& slot(const std::string& account);
  // As the gateway counts them.
  void request_begins(const std::string& account);
  void request_ends(const std::string& account);

  template <class T>
  struct Pending {
    std::optional<T> value;
    bool done() const { return value.has_value(); }
  };
  template <class T>
  std::shared_ptr<Pending<T>> begin(base::Task<T> task) {
    auto pending = std::make_shared<Pending<T>>();  // owned by the test and by the task's end
    base::asio::co_spawn(world_.context, std::move(task),
                         [pending](const std::exception_ptr& failure, T value) {
                           if (failure) std::rethrow_exception(failure);
                           pending->value = std::move(value);
                         });
    world_.settle();
    return pending;
  }

  std::filesystem::path folder_;
  wire::Paths paths_;
  base::testing::World world_;
  FakeLauncher launcher_;
  FakeDoors doors_;
  FakeCgroups cgroups_;
  FakeVolumes volumes_;
  std::unique_ptr<wire::ActivityBoard> board_;
  AccountsOptions options_;
  std::unique_ptr<Accounts> accounts_;
  std::map<std::string, wire::AccountSpec> specs_;
};

}  // namespace granary::agent

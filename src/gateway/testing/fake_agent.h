// The agent as the gateway sees it: its socket, answering `activate` as the test says, at once or
// when the test lets it. Real sockets, on the test's io_context; one thread.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/ids.h"
#include "base/task_group.h"
#include "base/testing/pieces.h"
#include "wire/agent_protocol.h"

namespace granary::gateway::testing {

class FakeAgent final {
 public:
  using Activation = wire::AgentResult<std::uint32_t>;
  using Activate = std::function<Activation(const base::ServiceId&)>;

  FakeAgent(base::asio::io_context& context, std::string path);

  void start();
  // The process is killed: no socket, no connection.
  void die();
  base::Task<void> stop();

  void on_activate(Activate activate) { activate_ = std::move(activate); }
  void hold() { held_ = true; }
  // From now on it answers nobody who asks whether it lives.
  void hang() { hangs_ = true; }
  void release();
  // Each answer is sent in these pieces from now on.
  void cut_answers(base::testing::Cuts cuts) { cuts_ = std::move(cuts); }

  const std::vector<base::ServiceId>& activations() const { return activations_; }

  // What it was told of apps: "ACCOUNT/SERVICE reason".
  const std::vector<std::string>& faults() const { return faults_; }
  const std::vector<std::int64_t>& fault_epochs() const { return fault_epochs_; }

  static Activation refuse(base::Code code, std::int64_t retry_after_ms = 0);

 private:
  using Local = base::asio::local::stream_protocol;
  base::Task<void> accept();
  base::Task<void> serve(std::shared_ptr<Local::socket> socket);

  base::asio::io_context& context_;
  std::string path_;
  std::unique_ptr<Local::acceptor> acceptor_;
  std::vector<std::weak_ptr<Local::socket>> sockets_;
  base::TaskGroup tasks_;
  base::Event released_;
  Activate activate_;
  std::vector<base::ServiceId> activations_;
  std::vector<std::string> faults_;
  std::vector<std::int64_t> fault_epochs_;
  base::testing::Cuts cuts_;
  bool held_ = false;
  bool hangs_ = false;
};

}  // namespace granary::gateway::testing

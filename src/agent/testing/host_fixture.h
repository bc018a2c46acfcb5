// A data directory with real parts of the host, for tests that run as root: real control groups,
// disks and sandboxes, on one thread. Removes all that it made.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "agent/host/bwrap_sandbox.h"
#include "agent/host/disk_images.h"
#include "agent/host/host_cgroups.h"
#include "agent/host/host_launcher.h"
#include "agent/host/unix_doors.h"
#include "base/async.h"
#include "base/os/system.h"

namespace granary::agent {

// Runs its work at once, on the calling thread.
class ImmediateWorker final : public base::Worker {
 public:
  void post(std::move_only_function<void()> work) override { work(); }
};

class HostFixture : public ::testing::Test {
 public:
  ~HostFixture() override;

 protected:
  static constexpr std::uint32_t kUid = 61'234;

  HostFixture();
  void SetUp() override;
  void TearDown() override;

  // A release of one file, main.py; returns its hash.
  std::string make_release(const std::string& program);
  void make_account(const std::string& account, std::uint64_t disk_bytes);
  SiloPlan plan_for(const std::string& account, const std::string& release);
  HostLauncherParts parts();

  // What the app answers to one request, whole; empty when it cannot be reached in time.
  std::string ask(const base::ServiceId& service, const std::string& request);
  // As a program that does `body` (Python) once and prints to its log; returns what it printed.
  std::string run_inside(const std::string& account, const std::string& body);

  template <class T>
  T run(base::Task<T> task) {
    std::optional<T> value;
    base::asio::co_spawn(context_, std::move(task),
                         [&](const std::exception_ptr& failure, T result) {
                           if (failure) std::rethrow_exception(failure);
                           value = std::move(result);
                         });
    context_.restart();
    while (!value) context_.run_one();
    return std::move(*value);
  }

  bool egress_ = false;                     // of plan_for()
  decltype(wire::ServiceSpec::env) env_{};  // of plan_for()
  std::string folder_;
  wire::Paths paths_;
  base::asio::io_context context_{1};
  base::os::SystemClock clock_;
  ImmediateWorker worker_;
  std::unique_ptr<HostCgroups> cgroups_;
  std::unique_ptr<DiskKeys> keys_;  // null: this kernel cannot encrypt
  DiskImages disks_;
  BwrapSandbox sandbox_;
  UnixDoors doors_;
  std::unique_ptr<SharedFiles> shared_;
  std::unique_ptr<HostLauncher> launcher_;
};

// An app that answers every connection with what `body` (Python, an expression) yields.
std::string http_app(const std::string& body);

}  // namespace granary::agent

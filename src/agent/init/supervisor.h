// granary-init itself: one loop that starts the app, serves its log and its connections, stops it
// when told to, and ends when it has ended. Owned by main(). Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "agent/init/app_log.h"
#include "agent/init/app_process.h"
#include "agent/init/forwarder.h"
#include "agent/init/limits.h"
#include "agent/init/log_ring.h"
#include "agent/init/options.h"
#include "agent/init/poller.h"
#include "agent/init/process_limit.h"
#include "agent/init/status_file.h"
#include "agent/init/sys.h"
#include "agent/init/watch_gate.h"

namespace granary::init {

enum class Phase {
  Starting,  // there is no app yet
  Running,
  Stopping,  // SIGTERM was passed on; the app has until stop_deadline_
  Draining,  // the app has ended: the rest dies, what it wrote and sent still gets out
  Finished,
};
// Whether `from` may be followed by `to`; the picture is in README.md.
bool may_follow(Phase from, Phase to);

class Supervisor final : private EventHandler,
                         private Forwarder::Owner,
                         private ProcessLimit::Owner {
 public:
  // `options` and `environment` must outlive the supervisor. Descriptors 3 to 6 are as limits.h
  // names them.
  Supervisor(const Options& options, char** environment);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts the app, or logs why it could not and is Finished.
  void start();
  // Waits for the next thing to happen and handles it.
  void step();
  bool finished() const { return phase_ == Phase::Finished; }
  // What init exits with: the app's code, 128 and its signal, or 127 if it could not be started.
  int exit_code() const { return exit_code_; }

 private:
  void on_events(std::uint32_t events) override;
  void on_app_listens() override;
  void on_app_unreachable(int error) override;
  void on_process_limit(std::uint64_t limit) override;

  // Egress needs no owner: it is Hold::Never.
  class NoOwner final : public Forwarder::Owner {
    void on_app_listens() override {}
    void on_app_unreachable(int) override {}
  };

  std::optional<StartFailure> start_app();
  void start_egress(std::uint64_t descriptors);
  std::size_t egress_connections(std::uint64_t descriptors) const;
  void report(const StartFailure& failure);
  void begin_stopping();
  void kill_after_timeout();
  void begin_draining();
  void finish();
  void advance(sys::MonotonicTime now);
  bool drained() const;
  void enter(Phase next);
  std::optional<std::chrono::milliseconds> patience() const;
  void log(std::string_view text);

  const Options& options_;
  char** const environment_;
  std::array<char, kCopyBytes> scratch_;
  Phase phase_ = Phase::Starting;
  int exit_code_ = 127;

  sys::DescriptorFile log_files_[2] = {sys::DescriptorFile(kLogFds[0]),
                                       sys::DescriptorFile(kLogFds[1])};
  LogRing ring_;
  StatusFile status_{kStatusFd};
  Poller poller_;
  sys::Fd signals_;
  OutputStream out_{Origin::Out, ring_, scratch_};
  OutputStream err_{Origin::Err, ring_, scratch_};
  AppProcess app_;
  WatchGate watches_;
  ProcessLimit process_limit_{static_cast<ProcessLimit::Owner&>(*this)};
  std::optional<Forwarder> forwarder_;  // port mode only
  NoOwner no_owner_;
  sys::Fd egress_listener_;
  std::optional<Forwarder> egress_;  // where the silo has a way out

  // Progress: set in Stopping until it has run out, and in Draining.
  std::optional<sys::MonotonicTime> deadline_;
};

}  // namespace granary::init

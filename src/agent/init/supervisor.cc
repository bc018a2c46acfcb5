#include "agent/init/supervisor.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "agent/init/emptying.h"
#include "agent/init/text.h"

namespace granary::init {
namespace {

AppProcess::Reach reach_of_this_process() {
  return sys::process_id() == 1 ? AppProcess::Reach::Namespace : AppProcess::Reach::Descendants;
}

std::string_view words_for(int error) {
  const char* words = strerrordesc_np(error);
  return words == nullptr ? "unknown error" : words;
}

// Each connection takes two descriptors. `most` > 0.
std::size_t connections_within(std::uint64_t descriptors, std::size_t most) {
  if (descriptors <= kReservedDescriptors + 2) return 1;
  const std::uint64_t room = (descriptors - kReservedDescriptors) / 2;
  return std::min<std::uint64_t>(room, most);
}

}  // namespace

bool may_follow(Phase from, Phase to) {
  switch (from) {
    case Phase::Starting:
      return to == Phase::Running || to == Phase::Finished;
    case Phase::Running:
      return to == Phase::Stopping || to == Phase::Draining;
    case Phase::Stopping:
      return to == Phase::Draining;
    case Phase::Draining:
      return to == Phase::Finished;
    case Phase::Finished:
      return false;
  }
  return false;
}

Supervisor::Supervisor(const Options& options, char** environment)
    : options_(options),
      environment_(environment),
      ring_(log_files_[0], log_files_[1], options.log_bytes),
      app_(reach_of_this_process()) {}

void Supervisor::start() {
  ring_.open();
  const EmptyingBounds bounds{sys::wall_now_exactly(), kEmptyLongest};
  if (options_.empty != nullptr && !empty_folder(options_.empty, scratch_, bounds))
    log((Text<160>() << options_.empty
                     << " still holds old temporary files: they could not be removed in time.")
            .view());
  if (const auto failure = start_app()) {
    report(*failure);
    enter(Phase::Finished);
  } else {
    status_.write("started");
    enter(Phase::Running);
  }
  ring_.flush();
}

std::optional<StartFailure> Supervisor::start_app() {
  const auto unprepared = [](int error) {
    return StartFailure{StartFailure::Step::Prepare, error};
  };
  if (sys::process_id() != 1) sys::adopt_orphans();
  const sys::DescriptorLimit before = sys::raise_descriptor_limit();
  signals_.reset(sys::open_signals());
  if (!signals_.open() || !poller_.open()) return unprepared(EMFILE);
  if (!poller_.watch(signals_.get(), EPOLLIN, *this)) return unprepared(ENOMEM);

  sys::Pipe out;
  sys::Pipe err;
  if (sys::make_pipe(out) < 0 || sys::make_pipe(err) < 0) return unprepared(EMFILE);
  if (!out_.start(poller_, std::move(out.read_end))) return unprepared(ENOMEM);
  if (!err_.start(poller_, std::move(err.read_end))) return unprepared(ENOMEM);

  start_egress(before.hard);
  // What the way out may take is not there for the way in.
  const std::uint64_t egress = 2 * egress_connections(before.hard);
  switch (options_.listen) {
    case Listen::Descriptor:
      // As systemd does: the state is the socket's, so an earlier app may have changed it.
      sys::set_blocking(kListenerFd);
      break;
    case Listen::Port:
      forwarder_.emplace(
          poller_, static_cast<Forwarder::Owner&>(*this),
          Forwarder::Settings{kListenerFd,
                              {.port = options_.port},
                              connections_within(before.hard - egress, kMaxConnections),
                              scratch_});
      if (!forwarder_->start()) return unprepared(EBADF);
      break;
  }
  process_limit_.start(poller_);
  const bool guarded = options_.watches == Options::Watches::Guarded;
  if (guarded && !watches_.open()) return unprepared(EMFILE);
  const auto failure = app_.start({options_, environment_, out.write_end.get(), err.write_end.get(),
                                   before, guarded ? &watches_ : nullptr});
  if (guarded) watches_.start(poller_);
  return failure;
}

std::size_t Supervisor::egress_connections(std::uint64_t descriptors) const {
  if (options_.egress == nullptr) return 0;
  return connections_within(descriptors / 2, kMaxEgressConnections);
}

// An app without its way out is better than none: what fails is logged.
void Supervisor::start_egress(std::uint64_t descriptors) {
  if (options_.egress == nullptr) return;
  const int listener = sys::listen_on_loopback(kEgressPort, kEgressBacklog);
  if (listener >= 0) {
    egress_listener_.reset(listener);
    egress_.emplace(poller_, static_cast<Forwarder::Owner&>(no_owner_),
                    Forwarder::Settings{listener,
                                        {.path = options_.egress},
                                        egress_connections(descriptors),
                                        scratch_,
                                        Forwarder::Settings::Hold::Never});
    if (egress_->start()) return;
    egress_.reset();
  }
  log((Text<160>() << "there is no way out: cannot listen on 127.0.0.1:" << kEgressPort << ": "
                   << words_for(listener < 0 ? -listener : ENOMEM) << ".")
          .view());
}

void Supervisor::report(const StartFailure& failure) {
  status_.write("exec-failed", failure.error);
  const std::string_view what =
      failure.step == StartFailure::Step::EnterDirectory ? options_.workdir : options_.command[0];
  const std::string_view verb =
      failure.step == StartFailure::Step::EnterDirectory ? "cannot enter " : "cannot start ";
  log((Text<1024>() << verb << what.substr(0, 512) << ": " << words_for(failure.error) << ". "
                    << advice_for(failure))
          .view());
}

void Supervisor::step() {
  poller_.wait(patience());
  const sys::MonotonicTime now = sys::monotonic_now();
  if (forwarder_) forwarder_->after_events(now);
  if (egress_) egress_->after_events(now);
  advance(now);
  ring_.flush();
}

std::optional<std::chrono::milliseconds> Supervisor::patience() const {
  using std::chrono::milliseconds;
  const sys::MonotonicTime now = sys::monotonic_now();
  std::optional<sys::MonotonicTime> next = deadline_;
  for (const auto* forwarder : {&forwarder_, &egress_}) {
    const auto turn = *forwarder ? (*forwarder)->next_turn(now) : std::nullopt;
    if (turn && (!next || *turn < *next)) next = turn;
  }
  if (!next) return std::nullopt;
  // Rounded up: a little late, rather than many times for nothing.
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*next - now));
}

void Supervisor::on_events(std::uint32_t) {
  while (const auto signal = sys::take_signal(signals_.get())) {
    if (*signal == SIGCHLD) {
      app_.reap();
    } else {
      begin_stopping();
    }
  }
}

void Supervisor::advance(sys::MonotonicTime now) {
  const bool late = deadline_ && now >= *deadline_;
  if (phase_ == Phase::Stopping && late && !app_.end()) kill_after_timeout();
  if ((phase_ == Phase::Running || phase_ == Phase::Stopping) && app_.end()) {
    begin_draining();
    if (drained()) finish();  // then no further event would come
  } else if (phase_ == Phase::Draining) {
    if (drained() || late) {
      finish();
    } else {
      app_.kill_rest();
    }
  }
}

void Supervisor::begin_stopping() {
  if (phase_ != Phase::Running) return;  // the first word counts
  enter(Phase::Stopping);
  status_.write("stopping");
  deadline_ = sys::monotonic_now() + options_.stop_timeout;
  if (forwarder_) forwarder_->stop_accepting();
  app_.signal_group(SIGTERM);
}

void Supervisor::kill_after_timeout() {
  deadline_.reset();
  status_.write("killed");
  log((Text<160>() << "did not end within " << options_.stop_timeout.count()
                   << " ms of SIGTERM and was killed. Let it end on SIGTERM, or raise "
                      "stop_timeout in granary.yaml.")
          .view());
  app_.kill_rest();
}

void Supervisor::begin_draining() {
  enter(Phase::Draining);
  deadline_ = sys::monotonic_now() + kDrainTimeout;
  app_.kill_rest();
  if (forwarder_) forwarder_->end_with_app();
  if (egress_) egress_->end_with_app();  // what the app had sent goes out; no answer is waited for
}

bool Supervisor::drained() const {
  if (app_.children_left() || !out_.ended() || !err_.ended()) return false;
  return !forwarder_ || forwarder_->connections() == 0;
}

void Supervisor::finish() {
  out_.finish();
  err_.finish();
  process_limit_.look();
  const AppEnd end = *app_.end();
  exit_code_ = end.exit_code();
  switch (end.kind) {
    case AppEnd::Kind::Exited:
      log((Text<64>() << "ended with exit code " << end.value).view());
      ring_.flush();
      status_.write("exited", end.value);
      break;
    case AppEnd::Kind::Signalled:
      log((Text<96>() << "ended by signal " << end.value << " (" << sigdescr_np(end.value) << ")")
              .view());
      ring_.flush();
      status_.write("signalled", end.value);
      break;
  }
  enter(Phase::Finished);
}

void Supervisor::enter(Phase next) {
  if (!may_follow(phase_, next)) __builtin_trap();
  phase_ = next;
}

void Supervisor::on_app_listens() { status_.write("ready"); }

void Supervisor::on_app_unreachable(int error) {
  log((Text<160>() << "cannot connect to 127.0.0.1:" << options_.port << ": " << words_for(error)
                   << ". Trying on.")
          .view());
}

void Supervisor::on_process_limit(std::uint64_t limit) {
  log((Text<256>() << "reached its limit of " << limit
                   << " processes and threads: another could not be started. Raise "
                      "limits.processes in granary.yaml, or start fewer threads.")
          .view());
}

void Supervisor::log(std::string_view text) {
  ring_.append(sys::wall_now(), tag_of(Origin::Sys, Piece::First), text);
}

}  // namespace granary::init

#include "agent/init/forwarder.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <utility>

namespace granary::init {

std::chrono::milliseconds retry_delay(std::chrono::nanoseconds waited) {
  using std::chrono::milliseconds;
  const auto delay = std::chrono::ceil<milliseconds>(waited / 16);
  return std::clamp(delay, milliseconds(1), milliseconds(20));
}

Forwarder::Forwarder(Poller& poller, Owner& owner, const Settings& settings)
    : poller_(poller),
      owner_(owner),
      settings_(settings),
      buffer_{settings.scratch},
      app_listens_(settings.hold == Settings::Hold::Never) {}

Forwarder::~Forwarder() {
  for (std::size_t i = 0; i < count_; ++i) connections_[i]->close();
  free_closed();
}

bool Forwarder::start() {
  sys::set_non_blocking(settings_.listener);
  if (!poller_.watch(settings_.listener, EPOLLIN, *this)) return false;
  accepting_ = Accepting::Yes;
  return true;
}

void Forwarder::stop_accepting() { suspend_accepting(Accepting::Finished); }

void Forwarder::suspend_accepting(Accepting why) {
  if (accepting_ == Accepting::Yes) poller_.unwatch(settings_.listener);
  accepting_ = why;
}

void Forwarder::resume_accepting(sys::MonotonicTime now) {
  switch (accepting_) {
    case Accepting::Yes:
    case Accepting::Finished:
      return;
    case Accepting::Full:
      if (count_ >= settings_.max_connections) return;
      break;
    case Accepting::Paused:
      if (!resume_at_) resume_at_ = now + kAcceptPause;
      if (now < *resume_at_) return;
      break;
  }
  resume_at_.reset();
  accepting_ = Accepting::Yes;
  if (poller_.watch(settings_.listener, EPOLLIN, *this)) return;
  accepting_ = Accepting::Paused;
  resume_at_ = now + kAcceptPause;
}

void Forwarder::on_events(std::uint32_t) {
  for (int turn = 0; turn < kAcceptsPerTurn && accepting_ == Accepting::Yes; ++turn) {
    if (count_ >= settings_.max_connections) {
      suspend_accepting(Accepting::Full);
      return;
    }
    const int fd = sys::accept_connection(settings_.listener);
    if (fd == -EAGAIN) return;
    if (fd == -ECONNABORTED) continue;
    if (fd < 0) {
      suspend_accepting(Accepting::Paused);
      return;
    }
    accept_one(fd);
  }
}

void Forwarder::accept_one(int fd) {
  sys::Fd client(fd);
  void* memory = std::malloc(sizeof(Connection));
  if (memory == nullptr) return;  // the client sees its connection closed
  auto* connection = new (memory) Connection(*this, poller_, buffer_, std::move(client));
  connections_[count_++] = connection;
  if (!connection->start()) {
    connection->close();
  } else if (app_listens_) {
    connection->connect(settings_.destination);
  } else {
    some_wait_ = true;
  }
}

void Forwarder::on_connected() {
  if (app_listens_) return;
  app_listens_ = true;
  owner_.on_app_listens();
}

void Forwarder::on_refused(Connection& connection, int error) {
  if (app_listens_) {  // it did once, so it has stopped: the client had better know at once
    connection.close();
    return;
  }
  some_wait_ = true;
  refused_now_ = true;
  if (error == ECONNREFUSED || told_unreachable_) return;
  told_unreachable_ = true;
  owner_.on_app_unreachable(error);
}

void Forwarder::end_with_app() {
  stop_accepting();
  for (std::size_t i = 0; i < count_; ++i) connections_[i]->end_with_app();
  // Now, because after the last one there is no event that would have it done.
  if (std::exchange(some_closed_, false)) free_closed();
}

void Forwarder::after_events(sys::MonotonicTime now) {
  if (std::exchange(some_have_more_, false)) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (connections_[i]->has_more()) connections_[i]->pump();
    }
  }
  if (some_wait_) connect_waiting(now);
  if (std::exchange(some_closed_, false)) free_closed();
  resume_accepting(now);
}

// Until the app listens, one connection at a time tries for all of them.
void Forwarder::connect_waiting(sys::MonotonicTime now) {
  if (std::exchange(refused_now_, false)) {
    if (!first_refusal_) first_refusal_ = now;
    retry_at_ = now + retry_delay(now - *first_refusal_);
  }
  if (!app_listens_ && retry_at_ && now < *retry_at_) return;
  retry_at_.reset();
  some_wait_ = false;
  for (std::size_t i = 0; i < count_; ++i) {
    Connection& connection = *connections_[i];
    if (connection.stage() == Connection::Stage::Waiting) connection.connect(settings_.destination);
    const Connection::Stage stage = connection.stage();
    if (app_listens_ || stage == Connection::Stage::Closed) continue;
    some_wait_ = true;
    break;
  }
  if (refused_now_) connect_waiting(now);  // refused on the spot: sets the time to try again
}

void Forwarder::free_closed() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    Connection* connection = connections_[i];
    if (connection->stage() == Connection::Stage::Closed) {
      connection->~Connection();
      std::free(connection);
    } else {
      connections_[kept++] = connection;
    }
  }
  count_ = kept;
}

std::optional<sys::MonotonicTime> Forwarder::next_turn(sys::MonotonicTime now) const {
  if (some_have_more_) return now;
  std::optional<sys::MonotonicTime> next = retry_at_;
  if (resume_at_ && (!next || *resume_at_ < *next)) next = resume_at_;
  return next;
}

}  // namespace granary::init

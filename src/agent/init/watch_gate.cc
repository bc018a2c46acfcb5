#include "agent/init/watch_gate.h"

#include <sys/epoll.h>

#include <cerrno>

#include "agent/init/sys_watches.h"

namespace granary::init {

bool WatchGate::open() {
  int ends[2];
  if (sys::make_socket_pair(ends) < 0) return false;
  receiving_.reset(ends[0]);
  sending_.reset(ends[1]);
  return true;
}

bool WatchGate::guard_this_process() const {
  const int questions = sys::guard_watches(sys::WatchGuard::Ask);
  if (questions >= 0) return sys::send_descriptor(sending_.get(), questions) == 0;
  return sys::guard_watches(sys::WatchGuard::Refuse) >= 0;
}

void WatchGate::start(Poller& poller) {
  sending_.reset();
  questions_.reset(sys::receive_descriptor(receiving_.get()));
  receiving_.reset();
  // Should that fail, nobody answers: closed, each question is refused.
  if (questions_.open() && !poller.watch(questions_.get(), EPOLLIN, *this)) questions_.reset();
}

void WatchGate::on_events(std::uint32_t events) {
  if ((events & EPOLLIN) == 0) {  // nobody is left who could ask
    questions_.reset();
    return;
  }
  sys::WatchQuestion question;
  if (sys::take_question(questions_.get(), question) < 0) return;  // who asked has gone
  sys::answer_question(questions_.get(), question, sys::add_watch_for(questions_.get(), question));
}

}  // namespace granary::init

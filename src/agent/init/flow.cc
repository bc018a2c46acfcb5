#include "agent/init/flow.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "agent/init/limits.h"
#include "agent/init/sys.h"

namespace granary::init {

std::size_t CopyBuffer::read_limit() const {
  const std::size_t spare = kHeldBudget - std::min(held, kHeldBudget);
  return std::clamp(spare / 2, kMinHeldBytes, scratch.size());
}

void Peer::note(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) has_ended = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable = true;
  if ((events & EPOLLOUT) != 0) writable = true;
}

Flow::Progress Flow::pump(Peer& from, Peer& to) {
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    switch (stage_) {
      case Stage::Closed:
        return Progress::Waiting;
      case Stage::SourceEnded:
        if (send_held(to) == Step::Blocked) return Progress::Waiting;
        if (stage_ == Stage::Closed) return Progress::Waiting;
        sys::end_sending(to.fd);
        stage_ = Stage::Closed;
        return Progress::Waiting;
      case Stage::Open:
        if (send_held(to) == Step::Blocked) return Progress::Waiting;
        if (copy(from, to) == Step::Blocked) return Progress::Waiting;
        break;
    }
  }
  return stage_ == Stage::Closed ? Progress::Waiting : Progress::More;
}

void Flow::abandon() {
  stage_ = Stage::Closed;
  drop_held();
}

Flow::Step Flow::send_held(Peer& to) {
  while (sent_ < size_) {
    if (!to.writable) return Step::Blocked;
    const long count = sys::send(to.fd, {held_ + sent_, size_ - sent_});
    if (count < 0) return fail_sending(count, to);
    sent_ += static_cast<std::size_t>(count);
  }
  drop_held();
  return Step::Went;
}

Flow::Step Flow::copy(Peer& from, Peer& to) {
  if (stage_ == Stage::Closed) return Step::Went;
  if (!from.readable) return Step::Blocked;
  const std::size_t limit = buffer_.read_limit();
  const long count = sys::receive(from.fd, buffer_.scratch.first(limit));
  if (count == -EAGAIN) {
    from.readable = false;
    return Step::Blocked;
  }
  if (count <= 0) {  // the end; after a reset, too, what came before it is passed on
    stage_ = Stage::SourceEnded;
    return Step::Went;
  }
  const auto size = static_cast<std::size_t>(count);
  // A short read has emptied the socket, and what comes later is a new event. That it has ended
  // may be no event of its own, so then the next read must find out.
  if (size < limit && !from.has_ended) from.readable = false;
  return deliver(to, size);
}

Flow::Step Flow::deliver(Peer& to, std::size_t count) {
  const char* bytes = buffer_.scratch.data();
  const long sent = sys::send(to.fd, {bytes, count});
  if (sent == -EAGAIN) {
    to.writable = false;
    hold(bytes, count);
    return Step::Blocked;
  }
  if (sent < 0) return fail_sending(sent, to);
  // After a partial write only the next one, refused, makes sure that room will be an event.
  const auto gone = static_cast<std::size_t>(sent);
  if (gone < count) hold(bytes + gone, count - gone);
  to.writable = true;
  return Step::Went;
}

Flow::Step Flow::fail_sending(long error, Peer& to) {
  if (error == -EAGAIN) {
    to.writable = false;
    return Step::Blocked;
  }
  abandon();
  return Step::Went;
}

void Flow::hold(const char* bytes, std::size_t count) {
  held_ = static_cast<char*>(std::malloc(count));
  if (held_ == nullptr) {
    broken_ = true;
    abandon();
    return;
  }
  std::memcpy(held_, bytes, count);
  size_ = count;
  sent_ = 0;
  buffer_.held += count;
}

void Flow::drop_held() {
  std::free(held_);
  buffer_.held -= size_;
  held_ = nullptr;
  size_ = 0;
  sent_ = 0;
}

}  // namespace granary::init

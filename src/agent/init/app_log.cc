#include "agent/init/app_log.h"

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

namespace granary::init {

std::string_view tag_of(Origin origin, Piece piece) {
  const bool whole = piece == Piece::First;
  switch (origin) {
    case Origin::Out:
      return whole ? "out" : "out+";
    case Origin::Err:
      return whole ? "err" : "err+";
    case Origin::Sys:
      return whole ? "sys" : "sys+";
  }
  return "sys";
}

bool OutputStream::start(Poller& poller, sys::Fd read_end) {
  pipe_ = std::move(read_end);
  return poller.watch(pipe_.get(), EPOLLIN, *this);
}

void OutputStream::finish() {
  if (ended()) return;
  now_ = sys::wall_now();
  splitter_.finish();
  pipe_.reset();
}

void OutputStream::on_events(std::uint32_t) {
  if (ended()) return;
  const long count = sys::read_some(pipe_.get(), scratch_);
  if (count == -EAGAIN) return;
  if (count <= 0) {
    finish();
    return;
  }
  now_ = sys::wall_now();
  splitter_.feed({scratch_.data(), static_cast<std::size_t>(count)});
}

void OutputStream::on_line(std::string_view text, Piece piece) {
  ring_.append(now_, tag_of(origin_, piece), text);
}

}  // namespace granary::init

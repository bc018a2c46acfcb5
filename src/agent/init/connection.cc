#include "agent/init/connection.h"

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

namespace granary::init {

Connection::Connection(Owner& owner, Poller& poller, CopyBuffer& buffer, sys::Fd client)
    : owner_(owner), poller_(poller), to_app_(buffer), to_client_(buffer) {
  client_.fd = std::move(client);
}

bool Connection::start() { return watch(client_); }

bool Connection::watch(End& end) {
  end.peer.fd = end.fd.get();
  return poller_.watch(end.fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, end);
}

void Connection::connect(const Destination& destination) {
  const int fd = destination.path == nullptr ? sys::connect_to_loopback(destination.port)
                                             : sys::connect_to_path(destination.path);
  if (fd < 0) {
    refuse(-fd);
    return;
  }
  port_ = destination.port;
  app_.fd.reset(fd);
  app_.peer = Peer{};
  stage_ = Stage::Connecting;
  if (!watch(app_)) refuse(ENOMEM);
}

void Connection::on_events(End& end, std::uint32_t events) {
  if (stage_ == Stage::Closed) return;  // closed by an earlier event of this step
  end.peer.note(events);
  const bool hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (stage_ == Stage::Connecting && &end == &app_) {
    finish_connecting(events);
    return;
  }
  if (stage_ != Stage::Open) {
    if (hung_up) close();  // nobody is left to answer
    return;
  }
  // Nothing can be sent to a side that hung up; what it had sent before is still forwarded.
  if (hung_up) (&end == &client_ ? to_client_ : to_app_).abandon();
  pump();
}

void Connection::finish_connecting(std::uint32_t events) {
  int error = sys::socket_error(app_.fd.get());
  const bool writable = (events & EPOLLOUT) != 0;
  if (error == 0 && !writable) return;
  if (error == 0 && port_ != 0 && sys::connected_to_itself(app_.fd.get(), port_))
    error = ECONNREFUSED;
  if (error != 0) {
    refuse(error);
    return;
  }
  stage_ = Stage::Open;
  owner_.on_connected();
  pump();
}

void Connection::refuse(int error) {
  app_.fd.reset();
  stage_ = Stage::Waiting;
  owner_.on_refused(*this, error);
}

void Connection::pump() {
  if (stage_ != Stage::Open) return;
  const Flow::Progress up = to_app_.pump(client_.peer, app_.peer);
  const Flow::Progress down = to_client_.pump(app_.peer, client_.peer);
  const bool over = to_client_.closed() && (to_app_.closed() || app_has_ended_);
  if (over || to_app_.broken() || to_client_.broken()) {
    close();
    return;
  }
  has_more_ = up == Flow::Progress::More || down == Flow::Progress::More;
  if (has_more_) owner_.on_more();
}

void Connection::end_with_app() {
  app_has_ended_ = true;
  if (stage_ == Stage::Open) {
    pump();
  } else {
    close();
  }
}

void Connection::close() {
  if (stage_ == Stage::Closed) return;
  stage_ = Stage::Closed;
  has_more_ = false;
  to_app_.abandon();
  to_client_.abandon();
  client_.fd.reset();
  app_.fd.reset();
  owner_.on_closed();
}

}  // namespace granary::init

// One direction of a forwarded connection: copies from one socket to the other as fast as the
// slower of the two allows, and passes on that the sender has finished. Owned by its Connection;
// single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace granary::init {

// What all flows share: space to copy through, and the account of what they hold back.
struct CopyBuffer {
  std::span<char> scratch;
  // Safety: the sum of Flow::size_ over all flows.
  std::size_t held = 0;

  // How much a flow that holds nothing may read now; limits.h has the arithmetic.
  std::size_t read_limit() const;
};

// A socket of the pair, and what the last events said of it. The kernel reports changes only
// (EPOLLET), so a flag stays up until a call has found it no longer true.
struct Peer {
  int fd = -1;
  bool readable = false;
  bool writable = false;
  bool has_ended = false;  // it will send no more than what is already here

  // `events` as in epoll(7).
  void note(std::uint32_t events);
};

class Flow final {
 public:
  explicit Flow(CopyBuffer& buffer) : buffer_(buffer) {}
  ~Flow() { drop_held(); }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  enum class Progress {
    Waiting,  // for an event of either socket, or closed
    More,     // there is more to do, but it is the others' turn
  };
  Progress pump(Peer& from, Peer& to);

  // The receiver takes nothing any more: what is under way to it is dropped. Idempotent.
  void abandon();
  // Everything up to the sender's end has been handed over, or abandoned.
  bool closed() const { return stage_ == Stage::Closed; }
  // Bytes were lost for want of memory: neither side may go on as if nothing had happened.
  bool broken() const { return broken_; }

 private:
  enum class Stage {
    Open,
    SourceEnded,  // what is held must still go out, then the end is passed on
    Closed,
  };
  enum class Step { Went, Blocked };

  Step send_held(Peer& to);
  Step copy(Peer& from, Peer& to);
  Step deliver(Peer& to, std::size_t count);
  Step fail_sending(long error, Peer& to);
  void hold(const char* bytes, std::size_t count);
  void drop_held();

  CopyBuffer& buffer_;
  bool broken_ = false;
  Stage stage_ = Stage::Open;
  // Read but not yet written: held_[sent_, size_). Nothing more is read until it has gone.
  char* held_ = nullptr;
  std::size_t size_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace granary::init

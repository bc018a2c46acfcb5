// One request and its answer between a client and a silo: gets a connection (waking the silo),
// sends, streams both bodies with back-pressure, and decides what a failure means. Lives on the
// stack of its session, which outlives it. Not for what the gateway answers itself: see session.h.
//
//   open ─► send head and what of the body is here ─► [upload the rest] ─► answer's head ─► relay
//     │ no way: 503      │ nothing got through, or nothing came back:          │        (101:
//     tunnel) ▼                  ▼ once more on a new connection, where that is safe   ▼
//   refused            refused (502)                                        502, 503, 504
#pragma once

#include <optional>

#include "gateway/core.h"

namespace granary::gateway {

// The session's side of it.
struct ClientSide {
  ClientStream& stream;
  Inbox& inbox;
  std::string_view address;
  Kit& kit;
  std::string_view domain;  // the platform's
  std::string_view scheme;  // that it came by
  bool strict = false;      // its answer keeps browsers at https
};

struct Outcome {
  // An answer that the session has to give still: 0 when the silo's was given, or nobody is left
  // to get one.
  int refusal = 0;
  std::chrono::milliseconds retry_after{0};
  int status = 0;              // of the answer that was given; 0: none
  std::uint64_t received = 0;  // bytes of the body
  std::uint64_t sent = 0;      // to the client
  bool keep = false;           // the client's connection may carry another request
  bool linger = false;         // the client may be sending still what nobody is going to read
};

class Exchange final : public Swept {
 public:
  Exchange(Core& core, ClientSide client, Lease& lease, const wire::RoutedService& service);
  ~Exchange() override = default;

  // Once. Nothing of it runs any more when this resolves.
  Coro<Outcome> run();
  // The client is gone, or the gateway stops: ends soon.
  void abort();
  void sweep(base::BootTime now) override;

 private:
  enum class Failure {
    None,
    Unread,        // the silo closed without having read it all: surely not acted on
    Ended,         // it closed without an answer, and may have acted
    NotAccepting,  // a life that has taken no request yet did not begin to within start_timeout
    TooSlow,
    Garbage,  // no HTTP, or cut within the head
    Upload,   // the request's body failed: upload_refusal_
    ClientGone,
  };
  enum class Next { Again, GiveUp };

  Coro<void> exchange();
  void give_up(const base::Error& fault);
  void compose_request();
  Coro<bool> open();
  Coro<Failure> send();
  void start_answer();
  Coro<Failure> read_head();
  Failure parse_head();
  Failure read_failure(const ErrorCode& error);
  bool give_more_time();
  bool is_read();
  Patience patience() const {
    return {began_, service_.start_timeout, began_ + kAnswer, client_gone_};
  }
  std::chrono::nanoseconds half_closed_for() const;
  Failure take_interim();
  Coro<Next> after(Failure failure);
  bool is_replayable(Failure failure) const;
  void keep_counted();
  bool may_be_sent_again() const { return kit_.request.idempotent && body_.complete(); }
  void refuse(const NoWay& no_way);
  void note_fault(FaultKind kind, std::string_view reason);
  void note_failure(Failure failure);

  Coro<void> relay();
  void compose_answer();
  enum class Piece { Middle, Last };
  void add_parts(Piece piece);
  Coro<bool> write_to_client();
  Coro<bool> read_more(const BodyReader& body);
  void settle(const BodyReader& body);

  void start_upload();
  Coro<void> upload();
  Coro<bool> receive_part();
  Coro<bool> forward_part();
  void frame_upload(Gather& into);
  void fail_upload(int status);
  bool is_too_slow() const;
  Coro<void> join_upload();

  std::string_view unread() const { return {kit_.block.data() + begin_, end_ - begin_}; }

  Core& core_;
  ClientSide client_;
  Kit& kit_;
  Lease& lease_;
  const wire::RoutedService& service_;
  Outcome outcome_;
  base::BootTime began_;
  std::unique_ptr<Upstream> upstream_;
  std::uint32_t epoch_ = 0;  // of the life that has, or had, the request
  bool pooled_ = false;      // upstream_ carried a request before
  bool pool_spent_ = false;  // the next one must be new
  bool asked_again_ = false;
  bool answered_ = false;  // bytes of the answer went to the client
  bool patient_ = false;   // the silo serves: wait longer than its start takes
  bool waiting_ = false;   // for the silo or the agent: the client is watched meanwhile
  bool sent_ = false;      // the silo has it all, or will have: its answer is what is waited for
  bool client_gone_ = false;
  bool endless_ = false;  // the answer ends when one side leaves: a tunnel, or server-sent events
  base::BootTime said_all_since_ = kNever;
  base::BootTime asked_at_{0};            // since when the silo has all that there is to answer
  Failure send_failure_ = Failure::None;  // unless it answered before it closed
  std::string_view broken_rule_;          // of the answer's head, for Failure::Garbage
  int interims_ = 0;
  Framing client_framing_ = Framing::None;  // of the answer, as the client gets it
  std::size_t begin_ = 0;                   // of what is in kit_.block
  std::size_t end_ = 0;

  BodyReader body_;                 // of the request
  std::size_t first_consumed_ = 0;  // of the inbox, by what is sent with the head
  bool uploading_ = false;
  bool upload_began_ = false;
  bool upload_stop_ = false;
  bool upload_cut_ = false;  // the silo takes no more of it
  int upload_refusal_ = 0;
  std::optional<Signal> upload_done_;
};

}  // namespace granary::gateway

// One client's connection: reads requests one after another, decides who each is for, and answers
// it, itself or through an Exchange. Owned by the Gateway, which runs it to its end; one thread.
//
//   [handshake] ──► idle ──first byte──► head ──► own answer | frontend | exchange ──► idle again
//        │            │ kIdleClient        │ bad, slow                 │ not to be kept
//        ▼            ▼                    ▼                           ▼
//      closed       closed              refused ──────────────────► linger ──► closed
#pragma once

#include <memory>
#include <string>

#include "gateway/core.h"
#include "gateway/exchange.h"

namespace granary::gateway {

// Where the client came in.
enum class Door { Plain, Tls };

class Session final : public Holder {
 public:
  // Door::Tls only where the core has a Tls.
  Session(Core& core, TcpSocket socket, std::string address, Door door);
  ~Session() override;

  // Once. The session outlives it.
  Coro<void> run();
  // Ends soon, in the middle of whatever is going on.
  void stop();
  // Ends if it only waits for another request.
  void stop_if_idle();
  void make_room() override { stop(); }

 private:
  enum class Next { Request, End };
  // Whether a request is served that came in so, or what is done with it instead.
  enum class Entry { Open, Misdirected, Redirected, Challenge };

  Coro<bool> shake_hands();
  Entry enter();
  bool is_own_check() const;
  Coro<void> turn_away(Entry entry);
  Coro<void> redirect();
  Coro<void> answer_challenge();
  bool is_strict() const;

  Coro<Next> next_request();
  Coro<Next> read_head();
  Coro<void> serve();
  Coro<void> serve_service(const Route& route);
  std::expected<Lease, Upstreams::Full> admit(const Route& route);
  Coro<void> serve_frontend(const Route& route);
  Coro<void> send_blob(const std::string& release, const std::string& name, std::string fields);
  Coro<void> send_large(const Blob& blob);
  Coro<void> discover();
  Coro<void> wait_for_slot();
  Coro<void> tell_tenant(const Route& route);
  Coro<void> refuse(int status, std::string fields = {});
  Coro<void> answer(int status, std::string_view fields, std::string_view body);
  void compose_head(int status, std::string_view fields, std::uint64_t length);
  Coro<bool> write_out();
  Coro<void> linger();
  Coro<void> answer_by(const Route& route);
  Coro<void> refuse_over_share(const Route& route);
  void begin_request();
  void end_request(const Route& route);
  void count_on_board(wire::BoardSlot& board, const Outcome& outcome);

  Core& core_;
  ClientStream stream_;
  Inbox inbox_;
  const std::string address_;
  std::unique_ptr<Kit> kit_;      // while a request is there
  Exchange* exchange_ = nullptr;  // while one runs
  SharedIndex index_;             // the request's; shared with the gateway and other requests
  std::string_view scheme_;  // that the request's client speaks, as far as the app is concerned
  base::BootTime began_{0};
  int status_ = 0;          // of the answer given; 0: none
  std::uint64_t sent_ = 0;  // bytes of it
  bool keep_ = true;
  bool lingers_ = false;  // the client may be sending still: it should get to read the answer
  bool stopping_ = false;
};

}  // namespace granary::gateway

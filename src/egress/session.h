// One connection of an app: its CONNECT is read and judged, the name resolved, each address judged,
// and the first that answers connected; from then on bytes go both ways unseen. Lives in the frame
// of the coroutine that runs it; one thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/timer.h"
#include "egress/accounts.h"
#include "egress/connect_head.h"
#include "egress/egress_log.h"
#include "egress/policy_watcher.h"
#include "egress/resolver.h"

namespace granary::egress {

// Of all accounts, since the start.
struct Counters {
  std::uint64_t accepted = 0;
  std::uint64_t over_bound = 0;         // closed at once: kConnectionsAll
  std::uint64_t strangers = 0;          // of users that are no account that may connect
  std::uint64_t ended[kOutcomes] = {};  // by Outcome; strangers are not among them
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::uint64_t lookups = 0;
  std::uint64_t lookups_failed = 0;
};

// What all sessions share; owned by the Proxy.
struct Core {
  base::asio::any_io_executor executor;
  const base::Clock& clock;
  base::Timer& timer;
  Resolver& resolver;
  const std::vector<Network>& allowed;  // although not global
  const std::function<bool(const Address&)>& own_address;
  PolicyWatcher& policy;
  UsageBook& usage;
  EgressLog& log;
  Counters counters;
  bool stopping = false;
};

using ClientSocket = base::asio::local::stream_protocol::socket;
using RemoteSocket = base::asio::ip::tcp::socket;

// Answers what is refused, closes nothing. Bounded in time.
base::Task<void> answer(Core& core, ClientSocket& client, int status, std::string text);

class Session final {
 public:
  // `core` outlives the session.
  Session(Core& core, std::shared_ptr<Account> account, ClientSocket client);
  ~Session();  // writes the line of the log
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Once.
  base::Task<void> run();

 private:
  // status 0: go on.
  struct Verdict {
    int status = 0;
    Outcome outcome = Outcome::Closed;
    std::string text;
  };

  // Where bytes of one direction are counted.
  struct Meters {
    std::uint64_t& session;
    std::uint64_t& account;
    std::uint64_t& all;
  };

  base::Task<Verdict> open();
  base::Task<Verdict> read_head();
  base::Task<Verdict> judge_target();
  base::Task<base::Result<Addresses>> look_up(std::string host);
  Verdict judge_addresses(const Addresses& found);
  base::Task<Verdict> connect_first();
  base::Task<bool> connect(Address address);

  base::Task<void> relay();
  template <class From, class To>
  base::Task<void> copy(From& from, To& to, Meters meters);
  base::Task<void> watch();
  void count(std::size_t bytes, const Meters& meters);
  void cut();

  Core& core_;
  std::shared_ptr<Account> account_;  // owned by Accounts, too, until the policy drops it
  ClientSocket client_;
  std::optional<RemoteSocket> remote_;

  std::string received_;  // the head and what came behind it
  std::size_t head_bytes_ = 0;
  std::string asked_;  // as it was written
  wire::EgressTarget target_;
  Addresses addresses_;  // of target_, that may be connected to
  std::string address_;  // connected to, or the last that was judged

  base::BootTime began_;
  base::BootTime moved_at_;
  std::uint64_t up_ = 0;
  std::uint64_t down_ = 0;
  Outcome outcome_ = Outcome::Broken;
};

}  // namespace granary::egress

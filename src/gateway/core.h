// What all sessions of one gateway share, and the reusable memory of one request. Owned by the
// Gateway; lives on its io_context; one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/timer.h"
#include "base/worker.h"
#include "gateway/access_log.h"
#include "gateway/agent_client.h"
#include "gateway/blocks.h"
#include "gateway/body_reader.h"
#include "gateway/client_stream.h"
#include "gateway/faults.h"
#include "gateway/frontend_store.h"
#include "gateway/gateway.h"
#include "gateway/limits.h"
#include "gateway/request_parser.h"
#include "gateway/response_parser.h"
#include "gateway/router.h"
#include "gateway/shares.h"
#include "gateway/tls.h"
#include "gateway/token_buckets.h"
#include "gateway/upstreams.h"

namespace granary::gateway {

// Everything a request needs that is too big to keep for a client that is idle. Taken when its
// first byte arrives; its strings keep their memory from request to request.
struct Kit {
  RequestParser request_parser;
  RequestHead request;
  ResponseParser answer_parser;
  ResponseHead answer;
  std::string tail;  // the end of the head that is being sent
  std::string request_id;
  std::string chunk;       // the line before a chunk to the client
  std::string sent_chunk;  // the same to the silo
  Gather to_client;
  Gather to_silo;
  BodyParts parts;       // of the answer
  BodyParts sent_parts;  // of the request
  Block block;           // what the silo said
};

class Kits final {
 public:
  std::unique_ptr<Kit> take() {
    if (spare_.empty()) return std::make_unique<Kit>();
    std::unique_ptr<Kit> kit = std::move(spare_.back());
    spare_.pop_back();
    return kit;
  }
  void give_back(std::unique_ptr<Kit> kit) {
    kit->block.release();
    if (spare_.size() < kSpareBlocks) spare_.push_back(std::move(kit));
  }

 private:
  std::vector<std::unique_ptr<Kit>> spare_;
};

// Since the gateway started; for /metrics.
struct Counters {
  std::uint64_t connections = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t handshakes = 0;                        // begun
  std::uint64_t handshakes_expired = 0;                // by kHandshake
  std::uint64_t handshakes_failed[kTlsFailures] = {};  // by TlsFailure
  std::uint64_t over_share = 0;  // requests refused since their tenant's connections are all busy
  std::uint64_t requests = 0;
  std::uint64_t answers[6] = {};  // by the first digit of the status
  std::uint64_t wakes_held = 0;   // requests that waited for an activation
};

struct Core {
  Executor executor;
  base::Clock& clock;
  base::Rng& rng;
  wire::ActivityBoard& board;
  const GatewayLimits& limits;
  base::Timer& timer;
  base::Worker& worker;
  const std::string& scheme;  // how plain clients reach it: http, or https behind something
  Sweeper& sweeper;
  Blocks blocks;
  Kits kits;
  AgentClient& agent;
  Faults& faults;
  Upstreams& upstreams;
  FrontendStore& frontends;
  AccessLog& log;
  Shares& shares;
  TokenBuckets discoveries{{kDiscoverBurst, kDiscoverEvery, kDiscoverClients}};
  Counters counters;
  // How clients are brought to https, while the gateway ends TLS itself.
  struct Https {
    Tls* tls = nullptr;  // null: plain HTTP alone
    Redirect redirect = Redirect::Off;
    std::uint16_t port = 0;  // where https is
    std::string folder;      // of certificates, and of what an ACME client shows
  };
  Https https;
  SharedIndex index;      // the newest; shared with requests that began under it; null: none yet
  bool draining = false;  // stopping: no connection is kept
};

}  // namespace granary::gateway

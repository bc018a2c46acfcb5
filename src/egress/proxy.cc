#include "egress/proxy.h"

#include "base/check.h"
#include "base/log.h"
#include "base/os/unix_listener.h"
#include "egress/limits.h"

namespace granary::egress {

using base::ErrorCode;
using base::Result;
using base::Task;

Proxy::Proxy(ProxyOptions options, ProxyParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      usage_(options_.paths.egress_usage(), {parts_.timer, parts_.worker}),
      log_({options_.paths, parts_.clock, parts_.timer, parts_.worker}),
      accounts_(options_.uid_base, usage_, parts_.executor),
      policy_({options_.paths, parts_.timer, parts_.worker, parts_.executor},
              [this](const wire::EgressPolicy& policy) { apply(policy); }),
      core_{.executor = parts_.executor,
            .clock = parts_.clock,
            .timer = parts_.timer,
            .resolver = parts_.resolver,
            .allowed = options_.allowed,
            .own_address = parts_.own_address,
            .policy = policy_,
            .usage = usage_,
            .log = log_,
            .counters = {}},
      tasks_(parts_.executor) {}

Proxy::~Proxy() { ASSERT(connections_ == 0); }

Task<Result<void>> Proxy::start(base::os::Fd listener) {
  CO_TRY(co_await usage_.load());
  tasks_.spawn("follow the policy", policy_.follow());
  tasks_.spawn("watch the policy", policy_.watch());
  co_await policy_.refresh();
  tasks_.spawn("save the usage", usage_.run());
  tasks_.spawn("write the logs", log_.run());
  acceptor_.emplace(parts_.executor, Protocol(), listener.release());
  tasks_.spawn("accept", accept());
  co_return Result<void>();
}

// What is gone first: a new account may have its name.
void Proxy::apply(const wire::EgressPolicy& policy) {
  usage_.forget(policy.gone);
  log_.forget(policy.gone);
  accounts_.apply(policy);
  has_policy_ = true;
}

Task<void> Proxy::accept() {
  for (;;) {
    ErrorCode error;
    ClientSocket client(parts_.executor);
    co_await acceptor_->async_accept(client, base::into(error));
    if (error == base::asio::error::operation_aborted) co_return;
    if (error) {
      base::log::warn("accepting a connection: {}", error.message());
      if (!co_await parts_.timer.sleep(kAcceptPause)) co_return;
      continue;
    }
    ++core_.counters.accepted;
    if (connections_ >= kConnectionsAll) {
      ++core_.counters.over_bound;
      continue;  // closed by its destruction
    }
    tasks_.spawn("connection", serve(std::move(client)));
  }
}

Task<void> Proxy::serve(ClientSocket client) {
  struct Place {
    explicit Place(std::size_t& all) : places(all) { ++places; }
    ~Place() { --places; }
    std::size_t& places;
  };
  const Place place(connections_);
  const auto peer = base::os::peer_identity(client.native_handle());
  if (!peer) co_return;
  std::shared_ptr<Account> account = accounts_.find(peer->uid);
  if (!account && peer->uid == options_.control_uid)
    co_return co_await answer(core_, client, 200, "ok\n");
  if (!account) {
    co_await policy_.refresh();
    account = accounts_.find(peer->uid);
  }
  if (!account) co_return co_await refuse_stranger(client, peer->uid);
  Session session(core_, std::move(account), std::move(client));
  co_await session.run();
}

Task<void> Proxy::refuse_stranger(ClientSocket& client, std::uint32_t uid) {
  ++core_.counters.strangers;
  const base::BootTime now = parts_.clock.boot();
  if (!told_of_stranger_ || now - *told_of_stranger_ >= kStrangerPause) {
    told_of_stranger_ = now;
    base::log::warn("user {} is no account that may connect to the outside", uid);
  }
  co_await answer(core_, client, 403, "This app may connect to nothing.\n");
}

Reading Proxy::reading() const {
  return {.counters = core_.counters,
          .connections = connections_,
          .accounts = accounts_.size(),
          .lines_dropped = log_.dropped(),
          .has_policy = has_policy_,
          .stopping = core_.stopping};
}

Task<void> Proxy::close() {
  core_.stopping = true;
  if (acceptor_) {
    ErrorCode ignored;
    acceptor_->close(ignored);
  }
  co_await tasks_.close();
  acceptor_.reset();
  co_await log_.flush();
  co_await usage_.save();
}

}  // namespace granary::egress

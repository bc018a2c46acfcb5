#include "gateway/agent_client.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/log.h"
#include "base/os/unix_socket.h"
#include "gateway/limits.h"

namespace granary::gateway {
namespace {

using base::Code;

Activated failed(Code code, std::string message) {
  return std::unexpected(wire::AgentError{base::Error{code, std::move(message), {}, {}}});
}

}  // namespace

struct AgentClient::Waiter final : Swept {
  Waiter(AgentClient& client, Patience of)
      : Swept(client.sweeper_), agent(client), signal(client.executor_), patience(of) {}

  void end(Activated result) {
    if (outcome) return;
    outcome = std::move(result);
    signal.notify();
  }
  void sweep(base::BootTime now) override {
    if (patience.gone) return end(failed(Code::Cancelled, "the client is gone"));
    const base::BootTime alone = std::max(patience.began, agent.away_since_);
    const bool away = !agent.connected_ && now - alone >= patience.start;
    if (away || now >= patience.answer)
      end(failed(Code::Deadline, "the service did not start in time"));
  }

  const AgentClient& agent;
  Signal signal;
  const Patience patience;
  std::optional<Activated> outcome;
};

AgentClient::AgentClient(std::string socket_path, Executor executor, Sweeper& sweeper,
                         base::Timer& timer)
    : Swept(sweeper),
      socket_path_(std::move(socket_path)),
      executor_(executor),
      sweeper_(sweeper),
      timer_(timer),
      socket_(executor),
      outgoing_(executor),
      away_since_(sweeper.now()) {}

AgentClient::~AgentClient() { ASSERT(waiting_ == 0); }

Coro<Activated> AgentClient::activate(base::ServiceId service, Patience patience) {
  if (closed_) co_return failed(Code::Cancelled, "the gateway is stopping");
  if (waiting_ >= kAgentQueue) co_return failed(Code::Exhausted, "too many wait for the agent");
  Waiter waiter(*this, patience);
  Pending& pending = pending_[service];
  pending.waiters.push_back(&waiter);
  if (pending.id == 0) {
    pending.id = ++last_id_;
    if (connected_) send(service, pending.id);
  }
  ++waiting_;
  co_await waiter.signal.wait();
  --waiting_;
  forget(service, waiter);
  co_return *std::move(waiter.outcome);
}

// A waiter that gave up leaves; the last one takes the request along.
void AgentClient::forget(const base::ServiceId& service, const Waiter& waiter) {
  const auto pending = pending_.find(service);
  if (pending == pending_.end()) return;
  std::erase(pending->second.waiters, &waiter);
  if (pending->second.waiters.empty()) pending_.erase(pending);
}

void AgentClient::finish(std::map<base::ServiceId, Pending>::iterator pending,
                         const Activated& outcome) {
  const std::vector<Waiter*> waiters = std::move(pending->second.waiters);
  pending_.erase(pending);
  for (Waiter* waiter : waiters) waiter->end(outcome);
}

void AgentClient::give_up() {
  closed_ = true;
  while (!pending_.empty())
    finish(pending_.begin(), failed(Code::Cancelled, "the gateway is stopping"));
}

void AgentClient::send(const base::ServiceId& service, std::int64_t id) {
  outbox_ += wire::encode_request(
      {id, wire::Verb::Activate,
       base::json::object{{"account", service.account.value}, {"service", service.service}}});
  outgoing_.notify_all();
}

// Nobody waits for the answer: take_answer() finds nobody.
void AgentClient::tell(const base::ServiceId& service, std::uint32_t epoch,
                       std::string_view reason) {
  if (!connected_ || outbox_.size() > kFaultOutbox) return;
  outbox_ +=
      wire::encode_request({++last_id_, wire::Verb::Fault,
                            base::json::object{{"account", service.account.value},
                                               {"service", service.service},
                                               {"epoch", epoch},
                                               {"reason", reason.substr(0, wire::kMaxFault)}}});
  outgoing_.notify_all();
}

void AgentClient::sweep(base::BootTime now) {
  if (!connected_ || ping_ || now - pinged_ < kPingEvery) return;
  ping_ = ++last_id_;
  pinged_ = now;
  outbox_ += wire::encode_request({*ping_, wire::Verb::Ping, {}});
  outgoing_.notify_all();
}

bool AgentClient::silent(base::BootTime now) const {
  return connected_ && ping_ && now - std::max(pinged_, heard_) > kAgentSilence;
}

base::Task<void> AgentClient::run() {
  std::chrono::milliseconds pause = kReconnectFirst;
  while (!closed_) {
    if (connect()) {
      pause = kReconnectFirst;
      co_await converse();
      connected_ = false;
      away_since_ = sweeper_.refresh();
      ErrorCode ignored;
      socket_.close(ignored);
      if (closed_) co_return;  // an orderly stop: nobody waits for the agent any more
      base::log::warn("the agent's connection ended");
    }
    if (!co_await timer_.sleep(pause)) co_return;
    pause = std::min(pause * 2, kReconnectMost);
  }
}

// True when there is a connection, over which all that is pending is asked for again: activate is
// idempotent, and an answer that was lost is given once more.
bool AgentClient::connect() {
  auto connection = base::os::connect_unix(socket_path_);
  if (!connection) base::log::warn("no way to the agent: {}", describe(connection.error()));
  if (!connection || connection->outcome != base::os::Connecting::Done) return false;
  ErrorCode error;
  socket_.assign(asio::local::stream_protocol(), connection->fd.get(), error);
  if (error) return false;
  connection->fd.release();
  connected_ = true;
  outbox_.clear();
  ping_.reset();
  for (const auto& [service, pending] : pending_) send(service, pending.id);
  return true;
}

base::Task<void> AgentClient::converse() {
  using asio::experimental::awaitable_operators::operator||;
  co_await (read_answers() || write_requests());
}

base::Task<void> AgentClient::read_answers() {
  std::string frame;
  ErrorCode error;
  for (;;) {
    frame.resize(wire::kFrameHead);
    co_await asio::async_read(socket_, asio::buffer(frame), base::into(error));
    if (error) co_return;
    const auto length = wire::decode_head(frame);
    if (!length) co_return base::log::error("agent: {}", describe(length.error()));
    frame.resize(*length);
    co_await asio::async_read(socket_, asio::buffer(frame), base::into(error));
    if (error) co_return;
    take_answer(frame);
  }
}

void AgentClient::take_answer(std::string_view body) {
  const auto document = wire::decode_body(body);
  if (!document) return base::log::error("agent: {}", describe(document.error()));
  const auto answer = wire::decode_answer(*document);
  if (!answer) return base::log::error("agent: {}", describe(answer.error()));
  heard_ = sweeper_.now();
  if (answer->id == ping_) return ping_.reset();
  const auto pending =
      std::ranges::find_if(pending_, [&](const auto& one) { return one.second.id == answer->id; });
  if (pending == pending_.end()) return;  // all who asked gave up
  if (!answer->result) return finish(pending, std::unexpected(answer->result.error()));
  const auto epoch = base::json::get_int(*answer->result, "epoch");
  if (!epoch || *epoch <= 0)
    return finish(pending, failed(Code::Internal, "the agent's answer has no epoch"));
  finish(pending, static_cast<std::uint32_t>(*epoch));
}

base::Task<void> AgentClient::write_requests() {
  ErrorCode error;
  for (;;) {
    while (!outbox_.empty()) {
      const std::string sending = std::exchange(outbox_, {});
      co_await asio::async_write(socket_, asio::buffer(sending), base::into(error));
      if (error) co_return;
    }
    if (!co_await outgoing_.wait()) co_return;
  }
}

}  // namespace granary::gateway

#include "gateway/session.h"

#include <fmt/format.h>

#include "gateway/answers.h"

namespace granary::gateway {
namespace {

// 128 bits, as 32 hex digits: unique without asking anybody, and telling nothing.
void make_request_id(base::Rng& rng, std::string& into) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  into.resize(32);
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = rng.next();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) into[half * 16 + i] = kDigits[bits & 15];
  }
}

}  // namespace

Session::Session(Core& core, TcpSocket socket, std::string address, Door door)
    : Holder(core.shares),
      core_(core),
      stream_(core.sweeper, std::move(socket)),
      inbox_(core.blocks),
      address_(std::move(address)) {
  if (door == Door::Tls) stream_.begin_tls(*core.https.tls, core.blocks);
}

Session::~Session() { ASSERT(exchange_ == nullptr); }

void Session::stop() {
  stopping_ = true;
  if (exchange_ != nullptr) exchange_->abort();
  if (kit_ != nullptr) stream_.mark_cut();
  stream_.cancel();
}

void Session::stop_if_idle() {
  if (kit_ == nullptr && !stopping_) stop();
}

Coro<void> Session::run() {
  const bool ready = stream_.tls() == nullptr || co_await shake_hands();
  while (ready && co_await next_request() == Next::Request) {
    co_await serve();
    core_.shares.wait(*this);
    index_.reset();
    if (!keep_ || stopping_) break;
    if (inbox_.empty()) {
      core_.kits.give_back(std::move(kit_));
      inbox_.rest();
    }
  }
  if (lingers_ && !stopping_) co_await linger();
  if (kit_) core_.kits.give_back(std::move(kit_));
  stream_.close();
}

// Waits for a request and reads its head; answers what is not one.
Coro<Session::Next> Session::next_request() {
  if (inbox_.empty()) {
    ErrorCode error;
    inbox_.filled(co_await stream_.read_some(inbox_.room(), kIdleClient, error));
    if (error || stopping_) co_return Next::End;
  }
  begin_request();
  co_return co_await read_head();
}

void Session::begin_request() {
  if (!kit_) kit_ = core_.kits.take();
  began_ = core_.sweeper.refresh();
  status_ = 0;
  sent_ = 0;
  kit_->request_parser.start(kit_->request);
  make_request_id(core_.rng, kit_->request_id);
}

Coro<Session::Next> Session::read_head() {
  for (;;) {
    const Parsed parsed = kit_->request_parser.head(inbox_.bytes());
    inbox_.consume(parsed.consumed);
    if (parsed.progress == Progress::Done) co_return Next::Request;
    ErrorCode error;
    if (parsed.progress == Progress::NeedMore) {
      const auto left = began_ + kWholeHead - core_.sweeper.now();
      inbox_.filled(co_await stream_.read_some(inbox_.room(), left, error));
      if (!error && !stopping_) continue;
      if (error != asio::error::timed_out || stopping_) co_return Next::End;
    }
    kit_->request.keep_alive = false;
    kit_->request.method = Method::Other;
    ++core_.counters.requests;
    co_await refuse(error ? 408 : parsed.status);
    co_return Next::End;
  }
}

Coro<void> Session::serve() {
  index_ = core_.index;
  ++core_.counters.requests;
  keep_ = kit_->request.keep_alive && !core_.draining;
  scheme_ = core_.scheme;
  if (core_.https.tls != nullptr) {
    if (const Entry entry = enter(); entry != Entry::Open) {
      core_.shares.serve(*this);
      co_await turn_away(entry);
      co_return end_request({});
    }
  }
  if (!index_) co_return co_await refuse(503, retry_after(kRetryAfter));
  const Route route = index_->route(kit_->request.host.name, kit_->request.path());
  if (route.tenant == nullptr) core_.shares.serve(*this);
  if (route.tenant == nullptr || core_.shares.serve(*this, route.tenant->account.value))
    co_await answer_by(route);
  else
    co_await refuse_over_share(route);
  end_request(route);
}

// The tenant's clients hold all the connections that they may. This one is not kept either.
Coro<void> Session::refuse_over_share(const Route& route) {
  ++core_.counters.over_share;
  keep_ = false;
  co_await refuse(429, retry_after(kRetryAfter));
  if (route.service != nullptr) count_on_board(core_.board.slot(route.slot), {.refusal = 429});
}

Coro<void> Session::answer_by(const Route& route) {
  switch (route.kind) {
    case RouteKind::UnknownHost:
    case RouteKind::Nothing:
      co_await refuse(404);
      break;
    case RouteKind::Suspended:
      co_await refuse(403);
      break;
    case RouteKind::TenantInfo:
      co_await tell_tenant(route);
      break;
    case RouteKind::Discover:
      co_await discover();
      break;
    case RouteKind::Service:
      co_await serve_service(route);
      break;
    case RouteKind::Frontend:
      co_await serve_frontend(route);
      break;
  }
}

void Session::end_request(const Route& route) {
  if (status_ >= 100 && status_ < 600) ++core_.counters.answers[status_ / 100];
  if (route.tenant == nullptr) return;
  const RequestHead& request = kit_->request;
  core_.log.add(route.tenant->account, route.tenant->ordinal,
                {.client = address_,
                 .host = request.host.name,
                 .method = request.method_name(),
                 .target = request.target(),
                 .request_id = kit_->request_id,
                 .status = status_,
                 .bytes = sent_,
                 .began = began_,
                 .ended = core_.sweeper.refresh()});
}

Coro<void> Session::serve_service(const Route& route) {
  wire::BoardSlot& board = core_.board.slot(route.slot);
  Outcome outcome;
  if (kit_->request.framing == Framing::Length && kit_->request.length > core_.limits.body_bytes) {
    outcome.refusal = 413;
    co_await refuse(413);
  } else if (auto lease = admit(route); !lease) {
    outcome.refusal = 429;
    co_await refuse(429, retry_after(kRetryAfter));
  } else {
    Exchange exchange(
        core_, {stream_, inbox_, address_, *kit_, index_->snapshot().domain, scheme_, is_strict()},
        *lease, *route.service);
    exchange_ = &exchange;
    outcome = co_await exchange.run();
    exchange_ = nullptr;
    status_ = outcome.status;
    sent_ = outcome.sent;
    keep_ = outcome.keep;
    lingers_ = outcome.linger;
    if (outcome.refusal != 0) {
      keep_ = kit_->request.keep_alive && !core_.draining;
      const auto wait = std::max<std::chrono::milliseconds>(outcome.retry_after, kRetryAfter);
      co_await refuse(outcome.refusal, outcome.refusal == 503 ? retry_after(wait) : "");
    }
  }
  count_on_board(board, outcome);
}

std::expected<Lease, Upstreams::Full> Session::admit(const Route& route) {
  const bool wish = !kit_->request.upgrade.empty();
  auto lease = core_.upstreams.admit(route, wish ? Lease::Kind::Wish : Lease::Kind::Request);
  if (lease) return lease;
  const bool requests = lease.error() == Upstreams::Full::Requests;
  const std::string reason =
      requests ? fmt::format("limits.in_flight is {}, and as many requests are under way",
                             route.service->in_flight)
               : fmt::format("{} WebSockets are open, the most that one service may have",
                             core_.limits.tunnels);
  core_.faults.note({route.tenant->account, route.service->name},
                    {.kind = FaultKind::Limit, .reason = reason, .request_id = kit_->request_id});
  return lease;
}

void Session::count_on_board(wire::BoardSlot& board, const Outcome& outcome) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  board.requests.fetch_add(1, kRelaxed);
  board.bytes_in.fetch_add(kit_->request.text.size() + outcome.received, kRelaxed);
  board.bytes_out.fetch_add(sent_, kRelaxed);
  if (status_ >= 500) board.errors_server.fetch_add(1, kRelaxed);
  if (status_ >= 400 && status_ < 500) board.errors_client.fetch_add(1, kRelaxed);
  if (outcome.refusal == 429 || outcome.refusal == 503) board.refused.fetch_add(1, kRelaxed);
}

}  // namespace granary::gateway

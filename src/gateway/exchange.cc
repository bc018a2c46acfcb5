#include "gateway/exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/contained.h"
#include "base/log.h"
#include "base/os/unix_socket.h"
#include "gateway/answers.h"
#include "gateway/tunnel.h"

namespace granary::gateway {

using base::Code;
using base::os::PeerEnd;

Exchange::Exchange(Core& core, ClientSide client, Lease& lease, const wire::RoutedService& service)
    : Swept(core.sweeper),
      core_(core),
      client_(client),
      kit_(client.kit),
      lease_(lease),
      service_(service),
      began_(core.sweeper.now()),
      body_(kit_.request.framing, kit_.request.length) {}

// A fault of ours costs this exchange alone. The upload refers to this object, so it is joined
// whatever happened.
Coro<Outcome> Exchange::run() {
  std::exception_ptr thrown;
  try {
    co_await exchange();
    // tidy: allow(catch-all): the root of one exchange; its upload is joined whatever leaves it
  } catch (...) {
    thrown = std::current_exception();
  }
  waiting_ = sent_ = false;
  co_await join_upload();
  if (thrown) give_up(base::error_of(thrown));
  co_return outcome_;
}

void Exchange::give_up(const base::Error& fault) {
  base::log::error("request {} of {}: {}", kit_.request_id, to_string(lease_.service().id),
                   describe(fault));
  upstream_.reset();
  outcome_.keep = false;
  if (!answered_) outcome_.refusal = 502;
  if (answered_) client_.stream.mark_cut();
}

Coro<void> Exchange::exchange() {
  compose_request();
  kit_.sent_parts.clear();
  const BodyReader::Step first = body_.read(client_.inbox.bytes(), kit_.sent_parts);
  first_consumed_ = first.consumed;
  outcome_.received = kit_.sent_parts.bytes();
  if (first.progress == BodyReader::Progress::Bad) {
    outcome_.refusal = 400;  // before anybody is woken for it
    co_return;
  }
  for (Next next = Next::Again; next == Next::Again;) {
    waiting_ = true;
    if (!co_await open()) break;
    Failure failure = co_await send();
    if (failure == Failure::None) {
      sent_ = true;
      start_upload();
      failure = co_await read_head();
    }
    waiting_ = sent_ = false;
    if (failure == Failure::None) {
      co_await relay();
      break;
    }
    next = co_await after(failure);
  }
}

void Exchange::abort() {
  client_gone_ = true;
  if (upstream_) upstream_->stream.cancel();
}

// While the silo is waited for, nothing is read from the client, so only looking tells that it
// went. One that only said all it had to say may still read; but not for ever.
void Exchange::sweep(base::BootTime now) {
  if (sent_ && !core_.upstreams.is_serving(lease_, upstream_->epoch) && is_read())
    core_.upstreams.note_serving(lease_, upstream_->epoch);
  keep_counted();
  if (!waiting_) return;
  switch (client_.stream.peer()) {
    case PeerEnd::Open:
      return;
    case PeerEnd::Gone:
      return abort();
    case PeerEnd::SaidAll:
      if (uploading_) return;  // who reads the client comes to its end
      said_all_since_ = std::min(said_all_since_, now);
      if (now - said_all_since_ > half_closed_for()) abort();
  }
}

// A life that is being stopped is given time for the requests under way. What has no end by itself
// is none of these: it would keep the next life from its start for all of that time.
void Exchange::keep_counted() {
  if (!endless_) return;
  if (lease_.board().epoch.load() == epoch_)
    lease_.count_again();
  else
    lease_.set_aside();
}

std::chrono::nanoseconds Exchange::half_closed_for() const {
  const bool endless = answered_ && !kit_.answer.has_length;
  return endless ? kHalfClosedStream : kHalfClosed;
}

// What the silo is told beyond what the client said. The Host field is the client's own.
void Exchange::compose_request() {
  const RequestHead& request = kit_.request;
  std::string& tail = kit_.tail;
  tail.clear();
  tail.append("X-Forwarded-For: ").append(client_.address);
  tail.append("\r\nX-Real-IP: ").append(client_.address);
  tail.append("\r\nX-Forwarded-Proto: ").append(client_.scheme);
  tail.append("\r\nX-Forwarded-Host: ").append(request.authority);
  tail.append("\r\nX-Request-Id: ").append(kit_.request_id).append("\r\n");
  if (!request.upgrade.empty())
    tail.append("Connection: Upgrade\r\nUpgrade: ").append(request.upgrade).append("\r\n");
  if (request.framing == Framing::Chunked)
    tail += "Transfer-Encoding: chunked\r\n";
  else if (request.framing == Framing::Length)
    fmt::format_to(std::back_inserter(tail), "Content-Length: {}\r\n", request.length);
  tail += "\r\n";
}

Coro<bool> Exchange::open() {
  pooled_ = upload_cut_ = false;
  send_failure_ = Failure::None;
  if (!pool_spent_)
    upstream_ =
        core_.upstreams.take_pooled(lease_, may_be_sent_again() ? kPooledIdle : kPooledFresh);
  pooled_ = upstream_ != nullptr;
  if (pooled_) epoch_ = upstream_->epoch;
  if (pooled_) co_return true;
  if (lease_.board().epoch.load() == 0) ++core_.counters.wakes_held;
  auto connected = co_await core_.upstreams.connect(lease_, patience());
  if (client_gone_) co_return false;
  if (!connected) refuse(connected.error());
  if (!connected) co_return false;
  upstream_ = *std::move(connected);
  epoch_ = upstream_->epoch;
  co_return true;
}

void Exchange::refuse(const NoWay& no_way) {
  outcome_.refusal = no_way.code == Code::Refused ? 403 : 503;
  outcome_.retry_after = no_way.retry_after;
}

// The head, and what of the body came with it. The inbox keeps it, in case it is sent again.
Coro<Exchange::Failure> Exchange::send() {
  Gather& out = kit_.to_silo;
  out.clear();
  out.add(kit_.request.text);
  out.add(kit_.tail);
  frame_upload(out);
  const std::size_t all = out.bytes();
  ErrorCode error;
  if (!upstream_->stream.write_now(out, error))
    co_await upstream_->stream.write_rest(out, kAnswer, error);
  if (client_gone_) co_return Failure::ClientGone;
  if (!error) co_return Failure::None;
  if (error == asio::error::timed_out) co_return Failure::NotAccepting;
  // It may have answered before it closed; if so, that is what counts.
  send_failure_ = out.bytes() == all ? Failure::Unread : Failure::Ended;
  upload_cut_ = true;
  co_return Failure::None;
}

void Exchange::start_answer() {
  kit_.answer_parser.start(kit_.answer, kit_.request.method, client_.domain);
}

Coro<Exchange::Failure> Exchange::read_head() {
  if (!kit_.block) kit_.block = core_.blocks.take();
  start_answer();
  begin_ = end_ = 0;
  patient_ = false;
  asked_at_ = core_.sweeper.now();
  for (;;) {
    // The upload may have failed on what came with the head, before anything was waited for.
    if (client_gone_) co_return Failure::ClientGone;
    if (upload_refusal_ != 0) co_return Failure::Upload;
    const std::chrono::nanoseconds left = asked_at_ + kAnswer - core_.sweeper.now();
    const auto within =
        patient_ ? left : std::min<std::chrono::nanoseconds>(service_.start_timeout, left);
    ErrorCode error;
    const std::size_t got = co_await upstream_->stream.read_some(
        asio::buffer(kit_.block.data() + end_, kBlockBytes - end_), within, error);
    if (client_gone_) co_return Failure::ClientGone;
    if (upload_refusal_ != 0) co_return Failure::Upload;
    if (error == asio::error::timed_out && give_more_time()) continue;
    if (error) co_return read_failure(error);
    end_ += got;
    const Failure parsed = parse_head();
    if (parsed != Failure::None || kit_.answer.status != 0) co_return parsed;
    if (end_ < kBlockBytes || begin_ > 0) continue;
    broken_rule_ = "its head is too long";
    co_return Failure::Garbage;
  }
}

// Whether to wait on: for a silo that is being sent a long body, or that has taken the request, or
// that is busy with those it took before.
bool Exchange::give_more_time() {
  if (uploading_) asked_at_ = core_.sweeper.now();
  if (uploading_) return true;
  if (!patient_) patient_ = is_read() || core_.upstreams.is_serving(lease_, upstream_->epoch);
  return patient_ && core_.sweeper.now() - asked_at_ < kAnswer;
}

bool Exchange::is_read() {
  const auto unread = base::os::unread_by_peer(upstream_->stream.socket().native_handle());
  return unread && *unread == 0;
}

Exchange::Failure Exchange::read_failure(const ErrorCode& error) {
  if (error == asio::error::timed_out) return patient_ ? Failure::TooSlow : Failure::NotAccepting;
  if (end_ > 0 || interims_ > 0) {
    broken_rule_ = "the connection was closed within its head";
    return Failure::Garbage;
  }
  if (send_failure_ != Failure::None) return send_failure_;
  // A unix socket says so when its peer closed with bytes unread.
  return error == asio::error::connection_reset ? Failure::Unread : Failure::Ended;
}

// Without a failure and with a status of 0: the head is not complete.
Exchange::Failure Exchange::parse_head() {
  for (;;) {
    const Parsed parsed = kit_.answer_parser.head(unread());
    begin_ += parsed.consumed;
    if (parsed.progress == Progress::Bad) {
      broken_rule_ = kit_.answer_parser.fault();
      return Failure::Garbage;
    }
    if (parsed.progress == Progress::NeedMore) break;
    if (kit_.answer.status == 101) {
      if (!kit_.request.upgrade.empty()) return Failure::None;
      broken_rule_ = "it switches to another protocol, for which nobody asked";
      return Failure::Garbage;
    }
    if (kit_.answer.status >= 200) return Failure::None;
    if (const Failure interim = take_interim(); interim != Failure::None) return interim;
  }
  std::memmove(kit_.block.data(), kit_.block.data() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
  return Failure::None;
}

// Early hints go on where there is room at once; "100 Continue" was the gateway's to say.
Exchange::Failure Exchange::take_interim() {
  if (++interims_ > static_cast<int>(kInterimAnswers)) {
    broken_rule_ = "more than 8 interim answers (1xx) come before it";
    return Failure::Garbage;
  }
  if (kit_.answer.status != 100 && kit_.request.version_11) {
    Gather& out = kit_.to_client;
    out.clear();
    out.add(kit_.answer.text);
    out.add("\r\n");
    ErrorCode error;
    if (!client_.stream.write_now(out, error) || error) return Failure::ClientGone;
  }
  start_answer();
  return Failure::None;
}

// Apps close pooled connections that are idle. On a new one the app has taken the request and died
// of it, for all that is known: the same request would end the next life as well.
bool Exchange::is_replayable(Failure failure) const {
  if (upload_began_) return false;
  return failure == Failure::Unread || (pooled_ && kit_.request.idempotent);
}

Coro<Exchange::Next> Exchange::after(Failure failure) {
  co_await join_upload();
  switch (failure) {
    case Failure::Unread:
    case Failure::Ended: {
      outcome_.refusal = 502;
      const bool replayable = is_replayable(failure);
      upstream_.reset();
      if (pooled_ && !replayable) note_failure(failure);
      if (pooled_) {
        pool_spent_ = true;
        co_return replayable ? Next::Again : Next::GiveUp;
      }
      const bool asked_before = std::exchange(asked_again_, true);
      if (asked_before || !replayable) note_failure(failure);
      if (asked_before) co_return Next::GiveUp;
      // What cannot be sent again does not wait for an agent that is away.
      if (!replayable && !core_.agent.connected()) co_return Next::GiveUp;
      const auto no_way = co_await core_.upstreams.ask_again(lease_, patience());
      if (no_way) refuse(*no_way);
      co_return !no_way && replayable && !client_gone_ ? Next::Again : Next::GiveUp;
    }
    case Failure::NotAccepting:
      outcome_.refusal = 503;
      break;
    case Failure::TooSlow:
      outcome_.refusal = 504;
      break;
    case Failure::Garbage:
      outcome_.refusal = 502;
      break;
    case Failure::Upload:
      outcome_.refusal = upload_refusal_;
      break;
    case Failure::None:
    case Failure::ClientGone:
      break;
  }
  note_failure(failure);
  co_return Next::GiveUp;
}

}  // namespace granary::gateway

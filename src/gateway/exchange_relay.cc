// The answer's way: from the silo to the client.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/answers.h"
#include "gateway/exchange.h"
#include "gateway/tunnel.h"

namespace granary::gateway {
namespace {

static_assert(kAnswerPause == std::chrono::seconds(300));  // a fault says so

// What the app says itself counts: browsers take the first, and two are a mistake.
bool says_strict(const ResponseHead& answer) {
  return !find_field(answer.text, "Strict-Transport-Security").empty();
}

bool is_event_stream(const ResponseHead& answer) {
  return find_field(answer.text, "Content-Type").starts_with("text/event-stream");
}

}  // namespace

Coro<void> Exchange::relay() {
  core_.upstreams.note_serving(lease_, upstream_->epoch);
  answered_ = true;
  outcome_.refusal = 0;
  outcome_.status = kit_.answer.status;
  compose_answer();
  endless_ = kit_.answer.status == 101 || is_event_stream(kit_.answer);
  if (kit_.answer.status == 101) {
    lease_.become_tunnel();
    Tunnel tunnel(core_, {client_.stream, client_.inbox, *upstream_, kit_, unread()});
    const Tunnel::Moved moved = co_await tunnel.run();
    outcome_.sent += moved.to_client;
    outcome_.received += moved.to_silo;
    co_return;
  }
  BodyReader body(kit_.answer.framing, kit_.answer.length);
  Gather& out = kit_.to_client;
  out.clear();
  out.add(kit_.answer.text);
  out.add(kit_.tail);
  for (;;) {
    kit_.parts.clear();
    const BodyReader::Step step = body.read(unread(), kit_.parts);
    begin_ += step.consumed;
    add_parts(step.progress == BodyReader::Progress::Done ? Piece::Last : Piece::Middle);
    if (!co_await write_to_client()) co_return;
    if (step.progress == BodyReader::Progress::Bad) {
      note_fault(FaultKind::Cut, "the chunks of the app's answer are malformed");
      outcome_.keep = false;  // the client must not take another answer for the rest of this one
      client_.stream.mark_cut();
      co_return;
    }
    if (body.complete()) break;
    if (begin_ == end_ && !co_await read_more(body)) co_return;
    if (begin_ == end_) break;  // the connection was the framing, and it ended
  }
  settle(body);
}

// The client's connection and what frames the body on it.
void Exchange::compose_answer() {
  const ResponseHead& answer = kit_.answer;
  const RequestHead& request = kit_.request;
  kit_.tail.clear();
  if (answer.status == 101) {
    kit_.tail.append("Connection: Upgrade\r\nUpgrade: ");
    kit_.tail.append(answer.upgrade.empty() ? request.upgrade : answer.upgrade).append("\r\n");
    add_answer_end(kit_.tail, {.request_id = kit_.request_id});
    return;
  }
  Framing framing = answer.framing;
  // What ends with the silo's connection ends with a last chunk for the client.
  if (framing == Framing::UntilClose && request.version_11) framing = Framing::Chunked;
  if (framing == Framing::Chunked && !request.version_11) framing = Framing::UntilClose;
  client_framing_ = framing;
  outcome_.keep = request.keep_alive && !core_.draining && framing != Framing::UntilClose &&
                  !uploading_ && upload_refusal_ == 0 && !upload_cut_;
  add_answer_end(kit_.tail, {.request_id = kit_.request_id,
                             .framing = framing,
                             .has_length = answer.has_length,
                             .length = answer.length,
                             .connection = outcome_.keep ? Connection::Keep : Connection::Close,
                             .version_11 = request.version_11,
                             .strict = client_.strict && !says_strict(answer)});
}

// One read of the silo is one chunk to the client.
void Exchange::add_parts(Piece piece) {
  Gather& out = kit_.to_client;
  const bool chunked = client_framing_ == Framing::Chunked;
  if (chunked && kit_.parts.bytes() > 0) {
    kit_.chunk.clear();
    fmt::format_to(std::back_inserter(kit_.chunk), "{:x}\r\n", kit_.parts.bytes());
    out.add(kit_.chunk);
  }
  for (const std::string_view part : kit_.parts) out.add(part);
  if (chunked && kit_.parts.bytes() > 0) out.add("\r\n");
  if (chunked && piece == Piece::Last) out.add("0\r\n\r\n");
}

Coro<bool> Exchange::write_to_client() {
  Gather& out = kit_.to_client;
  if (out.bytes() == 0) co_return true;
  outcome_.sent += out.bytes();
  ErrorCode error;
  if (!client_.stream.write_now(out, error))
    co_await client_.stream.write_rest(out, kWriteStall, error);
  outcome_.sent -= out.bytes();
  out.clear();
  if (error || client_gone_) outcome_.keep = false;
  co_return !error && !client_gone_;
}

// False when the answer is cut. True without new bytes when it ended as it should.
Coro<bool> Exchange::read_more(const BodyReader& body) {
  begin_ = end_ = 0;
  const auto room = asio::buffer(kit_.block.data(), kBlockBytes);
  ErrorCode error;
  std::size_t got = upstream_->stream.read_now(room, error);
  if (error == asio::error::would_block) {
    said_all_since_ = kNever;
    waiting_ = true;
    got = co_await upstream_->stream.read_some(room, kAnswerPause, error);
    waiting_ = false;
  }
  end_ = got;
  if (!error && !client_gone_) co_return true;
  // A unix socket is reset when its peer closed with bytes of the request unread. What it had said
  // before has all arrived.
  const bool ended = error == asio::error::eof || error == asio::error::connection_reset;
  const bool whole = ended && body.whole_at_end() && !client_gone_;
  outcome_.keep = outcome_.keep && whole;
  if (whole) {
    kit_.parts.clear();
    add_parts(Piece::Last);
    co_return co_await write_to_client();
  }
  if (!client_gone_)
    note_fault(FaultKind::Cut, error == asio::error::timed_out
                                   ? "the app's answer paused for more than 300 s"
                                   : "the app closed the connection within its answer");
  client_.stream.mark_cut();
  co_return false;
}

// Whole: the silo's connection may carry another request, if nothing is left on it.
void Exchange::settle(const BodyReader& body) {
  const bool clean = body.complete() && begin_ == end_ && kit_.answer.keep_alive && !uploading_ &&
                     !upload_cut_ && body_.complete();
  if (clean) core_.upstreams.keep(lease_, std::move(upstream_));
  outcome_.linger = !body_.complete();
  // The request's own body, where it all came with the head.
  if (!upload_began_) client_.inbox.consume(first_consumed_);
}

}  // namespace granary::gateway

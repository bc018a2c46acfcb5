// The request body's way, where it did not all come with the head: from the client to the silo, in
// a coroutine of its own, since the answer may begin before it ends.
#include <fmt/format.h>

#include "base/log.h"
#include "gateway/exchange.h"

namespace granary::gateway {

void Exchange::start_upload() {
  if (body_.complete() || upload_cut_) return;
  client_.inbox.consume(first_consumed_);
  uploading_ = upload_began_ = true;
  upload_stop_ = false;
  upload_done_.emplace(core_.executor);
  // Joined by join_upload(), before this object ends.
  asio::co_spawn(core_.executor, upload(), [this](const std::exception_ptr& failure) {
    if (failure) base::log::error("an upload ended by an exception");
    uploading_ = false;
    asked_at_ = core_.sweeper.now();
    upload_done_->notify();
  });
}

Coro<void> Exchange::join_upload() {
  upload_stop_ = true;
  if (!uploading_) co_return;
  client_.stream.cancel();
  if (upstream_) upstream_->stream.cancel();
  while (uploading_) co_await upload_done_->wait();
  outcome_.keep = false;
}

Coro<void> Exchange::upload() {
  if (kit_.request.expects_continue && client_.inbox.empty() && !answered_) {
    Gather out;
    out.add("HTTP/1.1 100 Continue\r\n\r\n");
    ErrorCode error;
    if (!client_.stream.write_now(out, error) || error) co_return fail_upload(400);
  }
  client_.inbox.widen();
  while (!upload_stop_ && !body_.complete()) {
    if (client_.inbox.empty() && !co_await receive_part()) co_return;
    kit_.sent_parts.clear();
    const BodyReader::Step step = body_.read(client_.inbox.bytes(), kit_.sent_parts);
    if (step.progress == BodyReader::Progress::Bad) co_return fail_upload(400);
    outcome_.received += kit_.sent_parts.bytes();
    if (outcome_.received > core_.limits.body_bytes) co_return fail_upload(413);
    if (is_too_slow()) co_return fail_upload(408);
    if (!co_await forward_part()) co_return;
    client_.inbox.consume(step.consumed);
  }
}

Coro<bool> Exchange::receive_part() {
  ErrorCode error;
  const std::size_t got =
      co_await client_.stream.read_some(client_.inbox.room(), kBodyPause, error);
  client_.inbox.filled(got);
  if (!error) co_return true;
  if (upload_stop_) co_return false;
  if (error == asio::error::timed_out)
    fail_upload(408);
  else if (error == asio::error::eof)
    fail_upload(400);
  else
    abort();
  co_return false;
}

Coro<bool> Exchange::forward_part() {
  Gather& out = kit_.to_silo;
  out.clear();
  frame_upload(out);
  ErrorCode error;
  if (!upstream_->stream.write_now(out, error))
    co_await upstream_->stream.write_rest(out, kAnswer, error);
  // A silo may answer without having read it all. Its answer counts, not the rest.
  upload_cut_ = static_cast<bool>(error);
  co_return !error;
}

// The parts as the silo gets them: chunks anew, or just the bytes.
void Exchange::frame_upload(Gather& into) {
  const bool chunked = kit_.request.framing == Framing::Chunked;
  if (chunked && kit_.sent_parts.bytes() > 0) {
    kit_.sent_chunk.clear();
    fmt::format_to(std::back_inserter(kit_.sent_chunk), "{:x}\r\n", kit_.sent_parts.bytes());
    into.add(kit_.sent_chunk);
  }
  for (const std::string_view part : kit_.sent_parts) into.add(part);
  if (chunked && kit_.sent_parts.bytes() > 0) into.add("\r\n");
  if (chunked && body_.complete()) into.add("0\r\n\r\n");
}

// The request cannot be completed: the silo must not take what came for the whole.
void Exchange::fail_upload(int status) {
  upload_refusal_ = status;
  if (upstream_) upstream_->stream.cancel();
}

bool Exchange::is_too_slow() const {
  const auto elapsed = core_.sweeper.now() - began_;
  if (elapsed <= kBodyPause) return false;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed - kBodyPause);
  return outcome_.received < static_cast<std::uint64_t>(seconds.count()) * kBodyFloor;
}

}  // namespace granary::gateway

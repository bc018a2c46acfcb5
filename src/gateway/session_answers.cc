// What a session says itself: refusals, documents, files of a frontend.
#include <fmt/format.h>

#include "gateway/answers.h"
#include "gateway/asset_request.h"
#include "gateway/session.h"

namespace granary::gateway {

// A body that nobody is going to read must not be taken for the next request.
Coro<void> Session::refuse(int status, std::string fields) {
  if (!kit_->request.keep_alive || kit_->request.has_body()) {
    keep_ = false;
    lingers_ = true;
  }
  fields += "Content-Type: text/plain\r\nCache-Control: no-store\r\n";
  co_await answer(status, fields, plain_body(status));
}

// Where plain requests are served as well, browsers are not kept from making them.
bool Session::is_strict() const {
  return stream_.tls() != nullptr && core_.https.redirect == Redirect::On;
}

void Session::compose_head(int status, std::string_view fields, std::uint64_t length) {
  if (kit_->request.has_body()) {
    keep_ = false;
    lingers_ = true;
  }
  std::string& head = kit_->tail;
  head.clear();
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  head.append(fields);
  add_answer_end(head, {.request_id = kit_->request_id,
                        .has_length = status != 304,
                        .length = length,
                        .connection = keep_ ? Connection::Keep : Connection::Close,
                        .version_11 = kit_->request.version_11,
                        .strict = is_strict()});
  status_ = status;
  kit_->to_client.clear();
  kit_->to_client.add(head);
}

Coro<void> Session::answer(int status, std::string_view fields, std::string_view body) {
  compose_head(status, fields, body.size());
  if (kit_->request.method != Method::Head) kit_->to_client.add(body);
  co_await write_out();
}

Coro<bool> Session::write_out() {
  Gather& out = kit_->to_client;
  sent_ += out.bytes();
  ErrorCode error;
  if (!stream_.write_now(out, error)) co_await stream_.write_rest(out, kWriteStall, error);
  sent_ -= out.bytes();
  if (error) {
    keep_ = false;
    lingers_ = false;
  }
  out.clear();
  co_return !error && !stopping_;
}

Coro<void> Session::serve_frontend(const Route& route) {
  const std::string release = route.release->hash;
  auto index = core_.frontends.cached_index(release);
  if (!index) index = co_await core_.frontends.load_index(release);
  if (!index) co_return co_await refuse(503, retry_after(kRetryAfter));
  const AssetAnswer asset = answer_asset(*index, kit_->request);
  if (asset.status == 200)
    co_return co_await send_blob(release, std::string(asset.blob), asset.fields);
  if (asset.status == 304) co_return co_await answer(304, asset.fields, "");
  co_await refuse(asset.status, asset.fields);
}

Coro<void> Session::send_blob(const std::string& release, const std::string& name,
                              std::string fields) {
  auto blob = core_.frontends.cached_blob(name);
  if (!blob) blob = co_await core_.frontends.load_blob(release, name);
  if (!blob) co_return co_await refuse(503, retry_after(kRetryAfter));
  if (!blob->file.open()) co_return co_await answer(200, fields, blob->bytes);
  compose_head(200, fields, blob->size);
  if (!co_await write_out() || kit_->request.method == Method::Head) co_return;
  co_await send_large(*blob);
}

Coro<void> Session::send_large(const Blob& blob) {
  for (std::uint64_t at = 0; at < blob.size;) {
    const std::string piece = co_await core_.frontends.read_piece(blob, at);
    if (piece.empty() || at + piece.size() > blob.size) {
      keep_ = false;  // the length was promised: a cut connection says that it does not hold
      stream_.mark_cut();
      co_return;
    }
    kit_->to_client.add(piece);
    if (!co_await write_out()) co_return;
    at += piece.size();
  }
}

// A connection closed with bytes unread is reset, and the reset can overtake the answer.
Coro<void> Session::linger() {
  ErrorCode error;
  stream_.end_sending();
  const base::BootTime until = core_.sweeper.refresh() + kLingerAll;
  const std::uint64_t most =
      kit_ && kit_->request.has_body() ? core_.limits.body_bytes : kLingerBytes;
  inbox_.consume(inbox_.bytes().size());
  for (std::uint64_t thrown = 0; !error && thrown < most;) {
    const auto left = std::min<base::BootTime>(until - core_.sweeper.now(), kLinger);
    if (left <= base::BootTime(0) || stopping_) co_return;
    thrown += co_await stream_.read_some(inbox_.room(), left, error);
  }
}

}  // namespace granary::gateway

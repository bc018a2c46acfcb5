// What a session does about TLS: the handshake, and bringing plain clients to https.
#include <fmt/format.h>

#include <algorithm>

#include "base/os/file.h"
#include "gateway/answers.h"
#include "gateway/session.h"

namespace granary::gateway {
namespace {

constexpr std::string_view kChallenges = "/.well-known/acme-challenge/";
constexpr std::uint16_t kHttpsPort = 443;
// How the platform's own checks name themselves (app/wiring/gateway_prober.cc).
constexpr std::string_view kCheck = "granary-check";

// Letters of base64url alone: nothing that leads out of the folder.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kChallengeToken && std::ranges::all_of(text, [](char c) {
    return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// `folder` as certbot and lego are told it (webroot), or just with an acme-challenge in it.
base::Result<std::string> read_challenge(const std::string& folder, const std::string& token) {
  auto found = base::os::read_file(folder + std::string(kChallenges) + token, kChallengeFile);
  if (found) return found;
  return base::os::read_file(folder + "/acme-challenge/" + token, kChallengeFile);
}

}  // namespace

// False: there is nothing to be served.
Coro<bool> Session::shake_hands() {
  Counters& counters = core_.counters;
  ++counters.handshakes;
  ErrorCode error;
  if (co_await stream_.handshake(kHandshake, error)) co_return !stopping_;
  if (stopping_) co_return false;
  if (error == asio::error::timed_out) ++counters.handshakes_expired;
  if (error != boost::system::errc::protocol_error) co_return false;
  const TlsFailure failure = stream_.tls()->failure();
  ++counters.handshakes_failed[static_cast<std::size_t>(failure)];
  if (failure != TlsFailure::PlainHttp) co_return false;
  // What it sent is lost to TLS; that it came to the wrong door can be said.
  stream_.drop_tls();
  begin_request();
  kit_->request.keep_alive = false;
  kit_->request.method = Method::Other;
  ++counters.requests;
  co_await refuse(400);
  co_return false;
}

// Whether the request came by the right way, before anything of a tenant is looked at.
Session::Entry Session::enter() {
  const RequestHead& request = kit_->request;
  if (stream_.tls() != nullptr) {
    scheme_ = "https";
    return stream_.tls()->covers(request.host.name) ? Entry::Open : Entry::Misdirected;
  }
  if (request.path().starts_with(kChallenges)) return Entry::Challenge;
  if (core_.https.redirect == Redirect::Off) return Entry::Open;
  if (!is_own_check()) return Entry::Redirected;
  // The app sees what it sees of its users, or it would send the check to https itself.
  scheme_ = "https";
  return Entry::Open;
}

// A check of this very machine need not know certificates. Anybody may call itself so; who does has
// chosen to go without TLS, and gets nothing that it would not get with it.
bool Session::is_own_check() const {
  if (find_field(kit_->request.text, "User-Agent") != kCheck) return false;
  ErrorCode error;
  const auto peer = stream_.socket().remote_endpoint(error).address();
  return !error && peer == stream_.socket().local_endpoint(error).address() && !error;
}

Coro<void> Session::turn_away(Entry entry) {
  switch (entry) {
    case Entry::Open:
      break;
    case Entry::Misdirected:
      co_return co_await refuse(421);
    case Entry::Redirected:
      co_return co_await redirect();
    case Entry::Challenge:
      co_return co_await answer_challenge();
  }
}

Coro<void> Session::redirect() {
  const RequestHead& request = kit_->request;
  const std::uint16_t port = core_.https.port;
  const std::string_view target = request.target();
  co_await refuse(308, fmt::format("Location: https://{}{}{}\r\n", request.host.name,
                                   port == kHttpsPort ? "" : fmt::format(":{}", port),
                                   target.starts_with('/') ? target : "/"));
}

// How a certificate authority is shown that a host is ours (ACME's http-01, RFC 8555, 8.3).
Coro<void> Session::answer_challenge() {
  const RequestHead& request = kit_->request;
  if (request.method == Method::Other) co_return co_await refuse(405, "Allow: GET, HEAD\r\n");
  std::string token(request.path().substr(kChallenges.size()));
  if (!is_token(token)) co_return co_await refuse(404);
  const auto found = co_await await(
      base::run_on(core_.worker, [folder = core_.https.folder, token = std::move(token)] {
        return read_challenge(folder, token);
      }));
  if (!found) co_return co_await refuse(404);
  co_await answer(200, "Content-Type: text/plain\r\nCache-Control: no-store\r\n", *found);
}

}  // namespace granary::gateway

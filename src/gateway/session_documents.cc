// The two documents that a session tells of tenants.
#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "gateway/answers.h"
#include "gateway/asset_request.h"
#include "gateway/session.h"

namespace granary::gateway {
namespace {

constexpr std::size_t kTagDigits = 16;  // hex digits: 64 bits tell the versions of one document

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (to_lower(c) >= 'a' && to_lower(c) <= 'f') return to_lower(c) - 'a' + 10;
  return -1;
}

// Percent-encoding undone; what is none stays as it is, and finds nobody.
std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                         hex_digit(text[i + 2]) >= 0;
    if (!encoded) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return plain;
}

}  // namespace

// ?q=SLUG, a domain, or an e-mail address: where that tenant lives. Says the same of whatever it
// does not know, takes as long for it and as many bytes.
Coro<void> Session::discover() {
  if (kit_->request.method == Method::Other) co_return co_await refuse(405, "Allow: GET, HEAD\r\n");
  if (!core_.discoveries.take(address_, core_.sweeper.now()))
    co_return co_await refuse(429, retry_after(kDiscoverEvery));
  const std::string_view target = kit_->request.target();
  const std::size_t query = target.find("?q=");
  std::string name = decoded(query == std::string_view::npos ? "" : target.substr(query + 3));
  std::ranges::transform(name, name.begin(), to_lower);
  const auto host = index_->discover(name);
  const int status = host ? 200 : 404;
  const std::string& port = kit_->request.host.port;
  std::string body = host ? fmt::format("{{\"url\":\"{}://{}{}{}\"}}", scheme_, *host,
                                        port.empty() ? "" : ":", port)
                          : "{}";
  INVARIANT(body.size() + reason_phrase(status).size() <= kDiscoverBytes);
  body.resize(kDiscoverBytes - reason_phrase(status).size(), ' ');
  co_await wait_for_slot();
  co_await answer(status, "Content-Type: application/json\r\nCache-Control: no-store\r\n", body);
}

Coro<void> Session::wait_for_slot() {
  const base::BootTime spent = core_.sweeper.refresh() - began_;
  const auto slots = spent / base::BootTime(kDiscoverSlot) + 1;
  // Nobody cancels it; a gateway that stops waits for it, as for any answer.
  (void)co_await await(core_.timer.sleep(slots * kDiscoverSlot - spent));
}

// What a frontend needs at its start. Browsers ask each time, since flags change, and are told in
// few bytes that nothing did.
Coro<void> Session::tell_tenant(const Route& route) {
  if (kit_->request.method == Method::Other) co_return co_await refuse(405, "Allow: GET, HEAD\r\n");
  const std::string document = tenant_document(route);
  const std::string tag = fmt::format("\"{}\"", base::sha256_hex(document).substr(0, kTagDigits));
  std::string fields = fmt::format("ETag: {}\r\nCache-Control: no-cache\r\n", tag);
  if (has_tag(find_field(kit_->request.text, "If-None-Match"), tag))
    co_return co_await answer(304, fields, "");
  fields += "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n";
  co_await answer(200, fields, document);
}

}  // namespace granary::gateway

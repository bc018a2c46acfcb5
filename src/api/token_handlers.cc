#include "api/handlers.h"
#include "api/views.h"
#include "base/text.h"
#include "registry/audit.h"

// Bearer tokens: for operators alone.
namespace granary::api {

using base::Code;
using base::Result;
using registry::Token;
using store::Transaction;

namespace {

// What the audit log tells of a token: all but its secret.
base::json::object audited(const Token& token) {
  return api_wire::to_json(token_document(token)).as_object();
}

Result<void> tell_audit(Transaction& tx, registry::AuditChange change, base::WallTime now) {
  TRY(registry::append_audit(tx, std::move(change), now));
  return {};
}

// With its entry in the audit log, unless it was revoked already.
Result<void> revoke(Transaction& tx, const std::string& id, const std::string& actor,
                    base::WallTime now) {
  TRY_ASSIGN(const Token before, registry::get_token(tx, id));
  if (before.revoked) return {};
  TRY(registry::revoke_token(tx, id, now));
  Token after = before;
  after.revoked = now;
  return tell_audit(tx, {actor, "token.revoke", "token/" + id, audited(before), audited(after)},
                    now);
}

}  // namespace

Answer list_tokens(Context& context, Request request) {
  CO_TRY_ASSIGN(const std::uint32_t limit, page_limit(request));
  std::vector<Token> tokens;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(tokens, registry::list_tokens(tx));
    return {};
  }));
  const std::string after = request.query_or("after", "");
  std::erase_if(tokens, [&](const Token& token) { return token.id <= after; });
  api_wire::TokenList page;
  cut_page(page, tokens, limit, [](const Token& token) { return token.id; });
  for (const Token& token : tokens) page.items.push_back(token_document(token));
  co_return answer(page);
}

Answer create_token(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto wish, body_of<api_wire::CreateTokenDocument>(request));
  if (!request.idempotency_key.empty())
    co_return base::fail_with_advice(
        Code::NotSupported, "a token's secret is never shown again, so its creation has no key",
        "Leave the Idempotency-Key out; revoke what was made once too often");
  const base::Clock& clock = context.parts.clock;
  Token token;
  CO_TRY_ASSIGN(token.role, registry::role_from(wish.role));
  token.label = wish.label.value_or("");
  if (token.label.size() > 100 || !base::is_printable_utf8(token.label))
    co_return base::fail(Code::InvalidArgument, "a label is at most 100 bytes of plain text");
  token.created = clock.wall();
  if (wish.ttl) {
    CO_TRY_ASSIGN(const std::chrono::milliseconds ttl, base::parse_duration(*wish.ttl));
    token.expires = token.created + ttl;
  }
  token.id = base::make_ulid(token.created, context.parts.rng);
  const std::string secret = registry::make_secret(context.parts.rng);
  CO_TRY(co_await context.parts.store.write(
      [token, secret, actor = request.actor()](Transaction& tx) -> Result<void> {
        TRY(registry::adopt_token(tx, token, secret));
        return tell_audit(tx, {actor, "token.create", "token/" + token.id, {}, audited(token)},
                          token.created);
      }));
  api_wire::TokenDocument document = token_document(token);
  document.secret = secret;
  Response response = answer(document, http::status::created);
  response.headers.emplace_back("Location", "/v1/tokens/" + token.id);
  co_return response;
}

Answer revoke_token(Context& context, Request request) {
  const std::string id = request.place("token");
  // So that there is always an operator left who can let others in.
  if (id == request.token.id)
    co_return base::fail_with_advice(Code::Conflict, "a token cannot revoke itself",
                                     "Use another operator's token to revoke this one");
  CO_TRY(co_await context.parts.store.write(
      [id, now = context.parts.clock.wall(), actor = request.actor()](Transaction& tx) {
        return revoke(tx, id, actor, now);
      }));
  context.authenticator.forget(id);
  co_return no_content();
}

}  // namespace granary::api

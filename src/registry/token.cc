#include "registry/token.h"

#include <array>

#include "base/hash.h"
#include "base/ids.h"

namespace granary::registry {
namespace {

using base::Code;
using base::Result;
using base::WallTime;
using store::Row;
using store::Transaction;
using store::Value;

constexpr std::array<std::pair<Role, std::string_view>, 3> kRoles = {
    {{Role::Operator, "operator"}, {Role::Deployer, "deployer"}, {Role::Viewer, "viewer"}}};

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
std::optional<WallTime> time_at(const Row& row, std::size_t column) {
  const auto value = row.maybe_integer(column);
  if (!value) return std::nullopt;
  return WallTime(std::chrono::microseconds(*value));
}

Result<Token> from_row(const Row& row) {
  Token token;
  token.id = row.text(0);
  TRY_ASSIGN(token.role, role_from(row.text(1)));
  token.label = row.text(2);
  token.created = *time_at(row, 3);
  token.expires = time_at(row, 4);
  token.revoked = time_at(row, 5);
  return token;
}

constexpr std::string_view kColumns =
    "SELECT id, role, label, created, expires, revoked FROM token ";

base::Failure unknown(const std::string& id) {
  return base::fail_with_advice(Code::NotFound, fmt::format("there is no token {}", id),
                                "See granary token list");
}

}  // namespace

std::string_view to_string(Role role) {
  for (const auto& [known, text] : kRoles) {
    if (known == role) return text;
  }
  return "viewer";
}

Result<Role> role_from(std::string_view name) {
  for (const auto& [role, text] : kRoles) {
    if (text == name) return role;
  }
  return base::fail_with_advice(Code::InvalidArgument, fmt::format("'{}' is not a role", name),
                                "Use operator, deployer or viewer");
}

std::string make_secret(base::Rng& rng) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string secret = "gry_";
  for (int i = 0; i < 43; ++i) secret += kLetters[rng.below(kLetters.size())];
  return secret;
}

Result<NewToken> create_token(Transaction& tx, Token token, base::Rng& rng) {
  NewToken made;
  made.secret = make_secret(rng);
  if (token.id.empty()) token.id = base::make_ulid(token.created, rng);
  TRY(adopt_token(tx, token, made.secret));
  made.token = std::move(token);
  return made;
}

Result<void> adopt_token(Transaction& tx, const Token& token, const std::string& secret) {
  TRY(
      tx.exec("INSERT INTO token (id, digest, role, label, created, expires) "
              "VALUES (:1, :2, :3, :4, :5, :6) ON CONFLICT (digest) DO NOTHING",
              {token.id, base::sha256_hex(secret), std::string(to_string(token.role)), token.label,
               micros(token.created),
               token.expires ? Value(micros(*token.expires)) : Value(std::monostate())}));
  return {};
}

Result<Token> authenticate(Transaction& tx, std::string_view secret, WallTime now) {
  TRY_ASSIGN(const auto rows,
             tx.exec(std::string(kColumns) + "WHERE digest = :1", {base::sha256_hex(secret)}));
  if (!rows.empty()) {
    TRY_ASSIGN(Token token, from_row(rows.front()));
    if (!token.revoked && (!token.expires || *token.expires > now)) return token;
  }
  return base::fail_with_advice(Code::Unauthenticated, "this token is not valid (any more)",
                                "Ask an operator for one: granary token create --role ROLE");
}

Result<std::vector<Token>> list_tokens(Transaction& tx) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "ORDER BY id LIMIT 1000"));
  std::vector<Token> tokens;
  for (const Row& row : rows) {
    TRY_ASSIGN(Token token, from_row(row));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Result<Token> get_token(Transaction& tx, const std::string& id) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "WHERE id = :1", {id}));
  if (!rows.empty()) return from_row(rows.front());
  return unknown(id);
}

Result<void> revoke_token(Transaction& tx, const std::string& id, WallTime now) {
  TRY(tx.exec("UPDATE token SET revoked = coalesce(revoked, :1) WHERE id = :2", {micros(now), id}));
  if (tx.changed() > 0) return {};
  return unknown(id);
}

}  // namespace granary::registry

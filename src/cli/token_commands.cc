#include "api/wire/access_documents.h"
#include "cli/commands.h"
#include "cli/text.h"

// granary token ...
namespace granary::cli {

using api_wire::TokenDocument;
using api_wire::TokenList;
using base::Result;

namespace {

Result<void> create_token(Session& session, const api_wire::CreateTokenDocument& wish) {
  TRY_ASSIGN(const auto token,
             session.api().send<TokenDocument>(http::verb::post, path_of({"v1", "tokens"}), wish));
  if (session.format() == Format::Table)
    session.tell(
        fmt::format("token {} with the role {}; it is shown this once:", token.id, token.role));
  session.show(token, [&] { return safe(token.secret.value_or("")) + "\n"; });
  return {};
}

std::string standing(const TokenDocument& token, base::WallTime now) {
  if (token.revoked) return "revoked";
  if (!token.expires) return "valid";
  const auto expires = base::parse_rfc3339(*token.expires);
  return expires && *expires <= now ? "expired" : "valid until " + *token.expires;
}

Result<void> list_tokens(Session& session) {
  TRY_ASSIGN(const auto list, session.api().get_all<TokenList>(path_of({"v1", "tokens"}), {}));
  session.show(list, [&] {
    Table table({"TOKEN", "ROLE", "LABEL", "AGE", "STANDING"});
    for (const auto& token : list.items)
      table.add({token.id, token.role, token.label, age(token.created, session.now()),
                 standing(token, session.now())});
    return table.text();
  });
  return {};
}

Result<void> revoke_token(Session& session, const std::string& id) {
  TRY(session.api().remove(path_of({"v1", "tokens", id})));
  session.tell(fmt::format("token {} is revoked", id));
  return {};
}

}  // namespace

void add_token_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "token", "who may use the API");
  CLI::App* create = add_verb(*noun, "create", "make a token; its secret is shown once");
  const auto wish = std::make_shared<api_wire::CreateTokenDocument>();
  create->add_option("--role", wish->role, "operator, deployer or viewer")->required();
  create->add_option("--ttl", wish->ttl, "how long it is valid, such as 12h; until revoked else");
  create->add_option("--label", wish->label, "what it is for");
  commands.on(create, [wish](Session& session) { return create_token(session, *wish); });
  commands.on(add_verb(*noun, "list", "all tokens, without their secrets"), list_tokens);
  CLI::App* revoke = add_verb(*noun, "revoke", "nobody gets in with it any more");
  const auto id = std::make_shared<std::string>();
  revoke->add_option("ID", *id)->required();
  commands.on(revoke, [id](Session& session) { return revoke_token(session, *id); });
}

}  // namespace granary::cli

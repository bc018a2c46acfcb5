#include "api/handlers.h"
#include "api/wire/platform_documents.h"

// Secrets: set, named, removed; never read. Their values are in the request's body and nowhere
// else: no error and no log line here may hold any of it.
namespace granary::api {

using base::AccountId;
using base::Result;
using registry::Secret;
using store::Transaction;

namespace {

api_wire::SecretDocument secret_document(const Secret& secret) {
  api_wire::SecretDocument document;
  document.name = secret.name;
  if (!secret.account.empty()) document.tenant = secret.account.value;
  document.updated = base::to_rfc3339(secret.updated);
  document.actor = secret.actor;
  return document;
}

// Of a page: "NAME" for everybody's, "NAME/TENANT" for a tenant's own.
std::string cursor_of(const Secret& secret) {
  return secret.account.empty() ? secret.name : secret.name + "/" + secret.account.value;
}

Result<std::vector<Secret>> page_of(Transaction& tx, const Request& request, std::uint32_t limit) {
  const std::string after = request.query_or("after", "");
  const AccountId tenant(request.query_or("tenant", ""));
  if (tenant.empty()) {
    const std::size_t slash = std::min(after.find('/'), after.size());
    const std::string account = slash < after.size() ? after.substr(slash + 1) : "";
    return registry::list_secrets(
        tx, {.after = {AccountId(account), after.substr(0, slash)}, .limit = limit});
  }
  TRY(registry::get(tx, tenant));
  TRY_ASSIGN(auto secrets, registry::secrets_of(tx, tenant));
  std::erase_if(secrets, [&](const Secret& secret) { return cursor_of(secret) <= after; });
  return secrets;
}

}  // namespace

Answer list_secrets(Context& context, Request request) {
  CO_TRY_ASSIGN(const std::uint32_t limit, page_limit(request));
  std::vector<Secret> secrets;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(secrets, page_of(tx, request, limit + 1));
    return {};
  }));
  api_wire::SecretList page;
  cut_page(page, secrets, limit, cursor_of);
  for (const Secret& secret : secrets) page.items.push_back(secret_document(secret));
  co_return answer(page);
}

Answer set_secret(Context& context, Request request) {
  CO_TRY_ASSIGN(auto wish, body_of<api_wire::SetSecretDocument>(request));
  lifecycle::Lifecycle::SetSecret set;
  set.account = AccountId(wish.tenant.value_or(""));
  set.name = request.place("secret");
  set.value = std::move(wish.value);
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.set_secret(std::move(set), caller_of(request)));
  co_return accepted(operation);
}

Answer unset_secret(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto operation, co_await context.parts.lifecycle.unset_secret(
                                          AccountId(request.query_or("tenant", "")),
                                          request.place("secret"), caller_of(request)));
  co_return accepted(operation);
}

}  // namespace granary::api

#include "api/handlers.h"
#include "api/wire/archive_documents.h"
#include "registry/archive_row.h"

// Certificates of what was destroyed, and the key that they are signed with.
namespace granary::api {

using base::Result;
using registry::Certificate;
using store::Transaction;

namespace {

// Without its envelope.
api_wire::CertificateDocument certificate_document(const Certificate& certificate) {
  return {certificate.operation, certificate.account.value, base::to_rfc3339(certificate.created),
          std::nullopt};
}

}  // namespace

Answer list_certificates(Context& context, Request request) {
  CO_TRY_ASSIGN(const std::uint32_t limit, page_limit(request));
  const base::AccountId tenant(request.query_or("tenant", ""));
  const std::string after = request.query_or("after", "");
  std::vector<Certificate> certificates;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(certificates, registry::list_certificates(tx, tenant, after, limit + 1));
    return {};
  }));
  api_wire::CertificateList page;
  cut_page(page, certificates, limit, [](const Certificate& last) { return last.operation; });
  for (const auto& certificate : certificates)
    page.items.push_back(certificate_document(certificate));
  co_return answer(page);
}

Answer show_certificate(Context& context, Request request) {
  Certificate certificate;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(certificate, registry::get_certificate(tx, request.place("operation")));
    return {};
  }));
  api_wire::CertificateDocument document = certificate_document(certificate);
  document.envelope = std::move(certificate.envelope);
  co_return answer(document);
}

Answer list_signing_keys(Context& context, Request) {
  const base::SigningKey& key = context.parts.signing_key;
  api_wire::SigningKeyList page;
  page.items.push_back({key.id(), key.public_pem()});
  co_return answer(page);
}

}  // namespace granary::api

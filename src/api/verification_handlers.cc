#include "api/handlers.h"
#include "api/wire/access_documents.h"

// The report of `granary verify`: control says, under the installation's key, who brought it and
// when. What is in it was found by the client, inside of silos that control made for it.
namespace granary::api {

namespace {

constexpr const char* kPayloadType = "application/vnd.granary.verification+json";

}  // namespace

Answer sign_verification(Context& context, Request request) {
  CO_TRY_ASSIGN(auto wish, body_of<api_wire::VerificationDocument>(request));
  base::json::object payload;
  payload["signed_at"] = base::to_rfc3339(context.parts.clock.wall());
  payload["actor"] = caller_of(request).actor;
  payload["report"] = std::move(wish.report);
  api_wire::SignedDocument document;
  document.envelope =
      base::seal(context.parts.signing_key, kPayloadType, base::json::print(payload));
  co_return answer(document, http::status::created);
}

}  // namespace granary::api

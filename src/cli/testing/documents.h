// The API's documents as the fake API answers with them, for the tests of commands.
#pragma once

#include <string>

#include "api/wire/access_documents.h"
#include "api/wire/platform_documents.h"

namespace granary::cli::testing {

// A document with the members that are given and whatever else it must have.
template <class Document>
std::string json(const Document& document) {
  return base::json::print(api_wire::to_json(document));
}

inline api_wire::OperationDocument operation_in(const std::string& state,
                                                const std::string& kind = "tenant.create") {
  api_wire::OperationDocument document;
  document.id = "01OP";
  document.kind = kind;
  document.subject = "tenant/acme";
  document.state = state;
  document.step = "converge";
  document.revision = state;
  document.history.push_back({"prepare", 1, "2026-11-24T00:00:00.000Z", "2026-11-24T00:00:01.000Z",
                              "done", "release is at hand"});
  if (state == "failed")
    document.error = api_wire::ErrorDocument{"exhausted", "the disk is full", "Make room", {}};
  return document;
}

inline std::string operation(const std::string& state, const std::string& kind = "tenant.create") {
  return json(operation_in(state, kind));
}

inline api_wire::TenantDocument tenant_in(const std::string& state) {
  api_wire::TenantDocument document;
  document.id = "acme";
  document.name = "Acme \x1b[31mGmbH";
  document.state = state;
  document.health = "healthy";
  document.url = "http://acme.localhost:8080";
  document.release = "insight-1";
  document.desired_release = "insight-2";
  document.created = "2026-11-23T00:00:00.000Z";
  document.services.push_back({"api", "asleep", "", 0, 3});
  return document;
}

inline std::string tenant(const std::string& state = "active") { return json(tenant_in(state)); }

}  // namespace granary::cli::testing

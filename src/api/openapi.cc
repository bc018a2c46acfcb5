#include "api/openapi.h"

#include "api/wire/access_documents.h"
#include "api/wire/archive_documents.h"
#include "api/wire/documents.h"
#include "api/wire/platform_documents.h"

namespace granary::api {

namespace json = base::json;

namespace {

json::object reference(std::string_view schema) {
  return {{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}

json::object content(std::string_view type, json::object schema) {
  return {{"content", json::object{{type, json::object{{"schema", std::move(schema)}}}}}};
}

// What is kept of tenants, and what spans them.
void add_platform_schemas(json::object& all) {
  all["Archive"] = api_wire::schema_of<api_wire::ArchiveDocument>();
  all["ArchiveList"] = api_wire::schema_of<api_wire::ArchiveList>();
  all["Export"] = api_wire::schema_of<api_wire::ExportDocument>();
  all["Restore"] = api_wire::schema_of<api_wire::RestoreDocument>();
  all["Certificate"] = api_wire::schema_of<api_wire::CertificateDocument>();
  all["CertificateList"] = api_wire::schema_of<api_wire::CertificateList>();
  all["SigningKeyList"] = api_wire::schema_of<api_wire::SigningKeyList>();
  all["Plan"] = api_wire::schema_of<api_wire::PlanDocument>();
  all["PlanList"] = api_wire::schema_of<api_wire::PlanList>();
  all["PutPlan"] = api_wire::schema_of<api_wire::PutPlanDocument>();
  all["SecretList"] = api_wire::schema_of<api_wire::SecretList>();
  all["SetSecret"] = api_wire::schema_of<api_wire::SetSecretDocument>();
  all["AuditList"] = api_wire::schema_of<api_wire::AuditList>();
  all["AuditCheck"] = api_wire::schema_of<api_wire::AuditCheckDocument>();
  all["Clock"] = api_wire::schema_of<api_wire::ClockDocument>();
  all["AcceptClock"] = api_wire::schema_of<api_wire::AcceptClockDocument>();
  all["Drift"] = api_wire::schema_of<api_wire::DriftDocument>();
  all["Repair"] = api_wire::schema_of<api_wire::RepairDocument>();
}

json::object schemas() {
  json::object all;
  all["Problem"] = api_wire::schema_of<api_wire::Problem>();
  all["Release"] = api_wire::schema_of<api_wire::ReleaseDocument>();
  all["ReleaseList"] = api_wire::schema_of<api_wire::ReleaseList>();
  all["Tenant"] = api_wire::schema_of<api_wire::TenantDocument>();
  all["TenantList"] = api_wire::schema_of<api_wire::TenantList>();
  all["CreateTenant"] = api_wire::schema_of<api_wire::CreateTenantDocument>();
  all["UpdateTenant"] = api_wire::schema_of<api_wire::UpdateTenantDocument>();
  all["Offboard"] = api_wire::schema_of<api_wire::OffboardDocument>();
  all["OffboardPlan"] = api_wire::schema_of<api_wire::OffboardPlanDocument>();
  all["Log"] = api_wire::schema_of<api_wire::LogDocument>();
  all["Operation"] = api_wire::schema_of<api_wire::OperationDocument>();
  all["OperationList"] = api_wire::schema_of<api_wire::OperationList>();
  all["Status"] = api_wire::schema_of<api_wire::StatusDocument>();
  all["Token"] = api_wire::schema_of<api_wire::TokenDocument>();
  all["TokenList"] = api_wire::schema_of<api_wire::TokenList>();
  all["Verification"] = api_wire::schema_of<api_wire::VerificationDocument>();
  all["Signed"] = api_wire::schema_of<api_wire::SignedDocument>();
  all["CreateToken"] = api_wire::schema_of<api_wire::CreateTokenDocument>();
  all["Pin"] = api_wire::schema_of<api_wire::PinDocument>();
  all["ClaimDomain"] = api_wire::schema_of<api_wire::ClaimDomainDocument>();
  all["DomainClaim"] = api_wire::schema_of<api_wire::DomainClaimDocument>();
  all["DomainClaimList"] = api_wire::schema_of<api_wire::DomainClaimList>();
  add_platform_schemas(all);
  // What the server reads, it reads strictly.
  for (const std::string_view name :
       {"CreateTenant", "UpdateTenant", "Offboard", "CreateToken", "Pin", "ClaimDomain", "Export",
        "Restore", "PutPlan", "SetSecret", "Repair"})
    all[name].as_object()["additionalProperties"] = false;
  return all;
}

json::array parameters(const Route& route) {
  json::array list;
  for (const std::string_view part : parts_of(route.pattern)) {
    const auto place = place_in(part);
    if (!place) continue;
    list.push_back(json::object{{"name", *place},
                                {"in", "path"},
                                {"required", true},
                                {"schema", json::object{{"type", "string"}}}});
  }
  for (const Parameter& parameter : route.query) {
    list.push_back(json::object{{"name", parameter.name},
                                {"in", "query"},
                                {"description", parameter.summary},
                                {"schema", json::object{{"type", "string"}}}});
  }
  if (route.method != http::verb::get) {
    list.push_back(json::object{{"name", "Idempotency-Key"},
                                {"in", "header"},
                                {"description", "The same key again gives the first operation."},
                                {"schema", json::object{{"type", "string"}, {"maxLength", 128}}}});
  }
  return list;
}

json::object success(const Route& route) {
  json::object answer = {{"description", http::obsolete_reason(route.success)}};
  if (route.gives.empty()) return answer;
  const bool media_type = route.gives.find('/') != std::string_view::npos;
  json::object body = media_type ? content(route.gives, json::object{{"type", "string"}})
                                 : content("application/json", reference(route.gives));
  for (auto& member : body) answer[member.key()] = member.value();
  return answer;
}

json::object operation(const Route& route) {
  json::object operation = {{"operationId", route.name},
                            {"summary", route.summary},
                            {"x-granary-role", to_string(route.access)}};
  if (json::array list = parameters(route); !list.empty())
    operation["parameters"] = std::move(list);
  if (route.body == Body::Bundle)
    operation["requestBody"] = content("application/zstd", json::object{});
  if (route.body == Body::Archive)
    operation["requestBody"] = content("application/x-tar", json::object{});
  if (route.body == Body::Json && !route.takes.empty())
    operation["requestBody"] = content("application/json", reference(route.takes));
  json::object problem = content(api_wire::kProblemType, reference("Problem"));
  problem["description"] = "A problem document, RFC 9457";
  operation["responses"] =
      json::object{{std::to_string(static_cast<unsigned>(route.success)), success(route)},
                   {"default", std::move(problem)}};
  if (route.access == Access::Public) operation["security"] = json::array{};
  return operation;
}

}  // namespace

json::object openapi_document(const std::vector<Route>& routes) {
  json::object paths;
  for (const Route& route : routes) {
    json::value& path = paths[route.pattern];
    if (!path.is_object()) path = json::object();
    std::string method(http::to_string(route.method));
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    path.as_object()[method] = operation(route);
  }
  json::object bearer = {{"type", "http"}, {"scheme", "bearer"}};
  return {{"openapi", "3.1.0"},
          {"info", json::object{{"title", "Granary"},
                                {"version", "1"},
                                {"license", json::object{{"name", "Apache-2.0"},
                                                         {"identifier", "Apache-2.0"}}}}},
          {"security", json::array{json::object{{"bearer", json::array{}}}}},
          {"paths", std::move(paths)},
          {"components",
           json::object{{"schemas", schemas()},
                        {"securitySchemes", json::object{{"bearer", std::move(bearer)}}}}}};
}

}  // namespace granary::api

#include "cli/commands.h"
#include "cli/tenant_finish.h"
#include "cli/text.h"

// granary domain ...: how a customer's own domain becomes its tenant's.
namespace granary::cli {

using api_wire::DomainClaimDocument;
using api_wire::DomainClaimList;
using api_wire::OperationDocument;
using base::Result;

namespace {

struct DomainOptions {
  std::string tenant;
  std::string domain;
  bool no_wait = false;
};

std::string path_to_claims(const std::string& tenant) {
  return path_of({"v1", "tenants", tenant, "domain-claims"});
}

std::string instructions(const DomainClaimDocument& claim) {
  return fmt::format(
      "To prove that {0} is {1}'s, set in its DNS\n"
      "  {2}  TXT  {3}\n"
      "or let http://{0}{4} answer with\n"
      "  {3}\n"
      "Then: granary domain verify {1} {0}\n",
      safe(claim.domain), safe(claim.tenant), safe(claim.txt_name), safe(claim.token),
      safe(claim.http_path));
}

Result<void> claim_domain(Session& session, const DomainOptions& options) {
  const api_wire::ClaimDomainDocument wish{options.domain};
  TRY_ASSIGN(const auto claim, session.api().send<DomainClaimDocument>(
                                   http::verb::post, path_to_claims(options.tenant), wish));
  session.show(claim, [&] { return instructions(claim); });
  return {};
}

Result<void> verify_domain(Session& session, const DomainOptions& options) {
  TRY_ASSIGN(auto operation,
             session.api().post<OperationDocument>(path_of(
                 {"v1", "tenants", options.tenant, "domain-claims", options.domain, "verify"})));
  return finish_operation(session, std::move(operation), options.no_wait ? Wait::No : Wait::Yes,
                          fmt::format("{} is {}'s", options.domain, options.tenant));
}

Result<void> list_domains(Session& session, const std::string& tenant) {
  TRY_ASSIGN(const auto list, session.api().get<DomainClaimList>(path_to_claims(tenant)));
  session.show(list, [&] {
    Table table({"DOMAIN", "TXT NAME", "TOKEN", "AGE"});
    for (const DomainClaimDocument& claim : list.items)
      table.add({claim.domain, claim.txt_name, claim.token, age(claim.created, session.now())});
    return table.text();
  });
  return {};
}

Result<void> drop_domain(Session& session, const DomainOptions& options) {
  TRY(session.api().remove(
      path_of({"v1", "tenants", options.tenant, "domain-claims", options.domain})));
  session.tell(fmt::format("the claim of {} to {} is forgotten", options.tenant, options.domain));
  return {};
}

std::shared_ptr<DomainOptions> add_options(CLI::App& command) {
  auto options = std::make_shared<DomainOptions>();
  command.add_option("TENANT", options->tenant)->required();
  command.add_option("DOMAIN", options->domain)->required();
  return options;
}

}  // namespace

void add_domain_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "domain", "domains of customers, proved to be theirs");
  CLI::App* claim =
      add_verb(*noun, "claim", "say that a domain is a tenant's; tells how to prove it");
  const auto to_claim = add_options(*claim);
  commands.on(claim, [to_claim](Session& session) { return claim_domain(session, *to_claim); });
  CLI::App* verify = add_verb(*noun, "verify", "look for the proof; then the domain is routed");
  const auto to_verify = add_options(*verify);
  verify->add_flag("--no-wait", to_verify->no_wait, "do not wait for the end");
  commands.on(verify, [to_verify](Session& session) { return verify_domain(session, *to_verify); });
  CLI::App* list = add_verb(*noun, "list", "what a tenant has claimed and not yet proved");
  const auto tenant = std::make_shared<std::string>();
  list->add_option("TENANT", *tenant)->required();
  commands.on(list, [tenant](Session& session) { return list_domains(session, *tenant); });
  CLI::App* drop = add_verb(*noun, "drop", "forget a claim");
  const auto to_drop = add_options(*drop);
  commands.on(drop, [to_drop](Session& session) { return drop_domain(session, *to_drop); });
}

}  // namespace granary::cli

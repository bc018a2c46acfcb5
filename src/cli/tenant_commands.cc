#include "cli/commands.h"
#include "cli/tenant_finish.h"
#include "cli/tenant_view.h"

// granary tenant create | list | show | update | suspend | resume; the rest is in
// tenant_pin_commands.cc, archive_commands.cc, offboard_command.cc and logs_command.cc.
namespace granary::cli {

using api_wire::OperationDocument;
using api_wire::TenantDocument;
using api_wire::TenantList;
using base::Code;
using base::Result;

namespace {

struct TenantOptions {
  std::string tenant;
  std::optional<std::string> name;
  std::optional<std::string> plan;
  std::optional<std::string> cloud;
  std::optional<std::string> release;
  std::vector<std::string> domains;
  std::vector<std::string> remove_domains;
  std::vector<std::string> emails;
  std::vector<std::string> email_domains;
  std::vector<std::string> remove_emails;
  std::vector<std::string> remove_email_domains;
  std::vector<std::string> labels;
  std::vector<std::string> settings;
  bool change_app = false;
  bool no_wait = false;
};

struct Pair {
  std::string name;
  std::optional<std::string> value;
};

// "K=V", or "K-" to remove it.
Result<Pair> parse_pair(const std::string& text, std::string_view option) {
  const std::size_t equals = text.find('=');
  if (equals != std::string::npos && equals > 0)
    return Pair{text.substr(0, equals), text.substr(equals + 1)};
  if (equals == std::string::npos && text.size() > 1 && text.ends_with('-'))
    return Pair{text.substr(0, text.size() - 1), std::nullopt};
  return base::fail_with_advice(Code::InvalidArgument,
                                fmt::format("{} '{}' is not K=V", option, text),
                                "Write name=value; in update also name- to remove it");
}

Result<std::map<std::string, std::optional<std::string>>> parse_pairs(
    const std::vector<std::string>& texts, std::string_view option) {
  std::map<std::string, std::optional<std::string>> pairs;
  for (const std::string& text : texts) {
    TRY_ASSIGN(Pair pair, parse_pair(text, option));
    pairs[pair.name] = std::move(pair.value);
  }
  return pairs;
}

Result<std::map<std::string, std::string>> parse_new_pairs(const std::vector<std::string>& texts,
                                                           std::string_view option) {
  TRY_ASSIGN(const auto pairs, parse_pairs(texts, option));
  std::map<std::string, std::string> result;
  for (const auto& [name, value] : pairs) {
    if (!value)
      return base::fail(Code::InvalidArgument, "{} {}-: there is nothing to remove yet", option,
                        name);
    result[name] = *value;
  }
  return result;
}

// Ways to be found, as the API writes them.
std::vector<std::string> discovery_of(const std::vector<std::string>& emails,
                                      const std::vector<std::string>& email_domains) {
  std::vector<std::string> keys;
  for (const std::string& email : emails) keys.push_back("email:" + email);
  for (const std::string& domain : email_domains) keys.push_back("email-domain:" + domain);
  return keys;
}

Wait wait_of(const TenantOptions& options) { return options.no_wait ? Wait::No : Wait::Yes; }

Result<void> create_tenant(Session& session, const TenantOptions& options) {
  api_wire::CreateTenantDocument wish;
  wish.id = options.tenant;
  wish.name = options.name;
  wish.plan = options.plan;
  wish.cloud = options.cloud;
  wish.release = options.release;
  wish.domains = options.domains;
  wish.discovery = discovery_of(options.emails, options.email_domains);
  TRY_ASSIGN(wish.labels, parse_new_pairs(options.labels, "--label"));
  TRY_ASSIGN(wish.settings, parse_new_pairs(options.settings, "--set"));
  TRY_ASSIGN(auto operation, session.api().send<OperationDocument>(
                                 http::verb::post, path_of({"v1", "tenants"}), wish));
  return finish_tenant(session, std::move(operation), options.tenant, wait_of(options));
}

Result<void> update_tenant(Session& session, const TenantOptions& options) {
  api_wire::UpdateTenantDocument wish;
  wish.name = options.name;
  wish.plan = options.plan;
  wish.release = options.release;
  wish.add_domains = options.domains;
  wish.remove_domains = options.remove_domains;
  wish.add_discovery = discovery_of(options.emails, options.email_domains);
  wish.remove_discovery = discovery_of(options.remove_emails, options.remove_email_domains);
  if (options.change_app) wish.change_app = true;
  TRY_ASSIGN(wish.labels, parse_pairs(options.labels, "--label"));
  TRY_ASSIGN(wish.settings, parse_pairs(options.settings, "--set"));
  if (api_wire::to_json(wish) == api_wire::to_json(api_wire::UpdateTenantDocument()))
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("it is not said what of {} is to change", options.tenant),
        fmt::format("Give an option, such as --release R; see granary tenant update --help. To "
                    "check a deployment again: granary tenant update {} --release ITS-RELEASE",
                    options.tenant));
  TRY_ASSIGN(auto operation, session.api().send<OperationDocument>(
                                 http::verb::patch, path_to_tenant(options.tenant), wish));
  return finish_tenant(session, std::move(operation), options.tenant, wait_of(options));
}

Result<void> act(Session& session, const TenantOptions& options, const std::string& verb) {
  TRY_ASSIGN(auto operation, session.api().post<OperationDocument>(
                                 path_of({"v1", "tenants", options.tenant, verb})));
  return finish_tenant(session, std::move(operation), options.tenant, wait_of(options));
}

Result<void> list_tenants(Session& session) {
  TRY_ASSIGN(const auto list, session.api().get_all<TenantList>(path_of({"v1", "tenants"}), {}));
  session.show(list, [&] { return table_of(list, session.now()); });
  return {};
}

Result<void> show_tenant(Session& session, const std::string& id) {
  TRY_ASSIGN(const auto tenant, session.api().get<TenantDocument>(path_to_tenant(id)));
  session.show(tenant, [&] { return facts_of(tenant, session.now()); });
  return {};
}

// What creating and updating say of the options that they have in common.
struct DetailTexts {
  const char* tenant;
  const char* plan;
  const char* release;
  const char* email;
  const char* email_domain;
  const char* label;
  const char* set;
};

constexpr DetailTexts kOfCreate = {
    .tenant = "its name in addresses: a-z, 0-9, -",
    .plan = "what it pays for; sets the default limits",
    .release = "the release to deploy; the latest where missing",
    .email = "an address that it is found by",
    .email_domain = "what stands after the @ of addresses that it is found by",
    .label = "K=V, to select tenants by",
    .set = "K=V, for the app: /run/config.json",
};

constexpr DetailTexts kOfUpdate = {
    .tenant = "the tenant that is to be changed",
    .plan = "the plan that it is moved to",
    .release = "the release that is deployed instead; where missing, its release stays",
    .email = "one more address that it is found by",
    .email_domain = "one more domain of addresses that it is found by",
    .label = "K=V: set or change a label; K-: remove it",
    .set = "K=V: set or change a setting of the app; K-: remove it",
};

void add_details(CLI::App& command, TenantOptions& options, const DetailTexts& texts) {
  command.add_option("TENANT", options.tenant, texts.tenant)->required();
  command.add_option("--name", options.name, "its name for people");
  command.add_option("--plan", options.plan, texts.plan);
  command.add_option("--release", options.release, texts.release);
  command.add_option("--email", options.emails, texts.email)->allow_extra_args(false);
  command.add_option("--email-domain", options.email_domains, texts.email_domain)
      ->allow_extra_args(false);
  command.add_option("--label", options.labels, texts.label)->allow_extra_args(false);
  command.add_option("--set", options.settings, texts.set)->allow_extra_args(false);
  command.add_flag("--no-wait", options.no_wait, "do not wait for the end");
}

void add_create(CLI::App& tenant, Commands& commands) {
  CLI::App* create = add_verb(tenant, "create", "give a tenant an account of its own");
  const auto options = std::make_shared<TenantOptions>();
  add_details(*create, *options, kOfCreate);
  create->add_option("--cloud", options->cloud, "host or aws; host where missing");
  create->add_option("--domain", options->domains, "a domain of the tenant's own")
      ->allow_extra_args(false);
  commands.on(create, [options](Session& session) { return create_tenant(session, *options); });
}

void add_update(CLI::App& tenant, Commands& commands) {
  CLI::App* update = add_verb(tenant, "update", "change its details or deploy another release");
  const auto options = std::make_shared<TenantOptions>();
  add_details(*update, *options, kOfUpdate);
  update->add_option("--add-domain,--domain", options->domains, "one more domain of its own")
      ->allow_extra_args(false);
  update->add_flag("--change-app", options->change_app,
                   "deploy a release of another app, which gets the data of the one before");
  update->add_option("--remove-domain", options->remove_domains, "a domain that it loses")
      ->allow_extra_args(false);
  update
      ->add_option("--remove-email", options->remove_emails,
                   "an address that it is no longer found by")
      ->allow_extra_args(false);
  update
      ->add_option("--remove-email-domain", options->remove_email_domains,
                   "a domain of addresses that it is no longer found by")
      ->allow_extra_args(false);
  commands.on(update, [options](Session& session) { return update_tenant(session, *options); });
}

void add_action(CLI::App& tenant, Commands& commands, const std::string& verb,
                const std::string& help) {
  CLI::App* command = add_verb(tenant, verb, help);
  const auto options = std::make_shared<TenantOptions>();
  command->add_option("TENANT", options->tenant)->required();
  command->add_flag("--no-wait", options->no_wait, "do not wait for the end");
  commands.on(command, [options, verb](Session& session) { return act(session, *options, verb); });
}

}  // namespace

void add_tenant_commands(CLI::App& program, Commands& commands) {
  CLI::App* tenant = add_noun(program, "tenant", "customers, each with an account of its own");
  add_create(*tenant, commands);
  commands.on(add_verb(*tenant, "list", "all tenants"), list_tenants);
  CLI::App* show = add_verb(*tenant, "show", "one tenant, its services, and why they fail");
  const auto id = std::make_shared<std::string>();
  show->add_option("TENANT", *id)->required();
  commands.on(show, [id](Session& session) { return show_tenant(session, *id); });
  add_update(*tenant, commands);
  add_action(*tenant, commands, "suspend", "refuse its traffic; its data stays");
  add_action(*tenant, commands, "resume", "end a suspension");
  add_pin_commands(*tenant, commands);
  add_logs_command(*tenant, commands);
  add_export_commands(*tenant, commands);
  add_offboard_command(*tenant, commands);
}

}  // namespace granary::cli

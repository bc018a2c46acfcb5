#include <istream>

#include "api/wire/platform_documents.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/tenant_finish.h"
#include "cli/text.h"

// granary secret ...: values come in here, on standard input or from a person, and are never shown.
namespace granary::cli {

using api_wire::OperationDocument;
using api_wire::SecretDocument;
using api_wire::SecretList;
using base::Code;
using base::Result;

namespace {

struct SecretOptions {
  std::string name;
  std::optional<std::string> tenant;
  bool no_wait = false;
};

std::string path_to_secret(const std::string& name) { return path_of({"v1", "secrets", name}); }

std::string whose(const SecretOptions& options) {
  return options.tenant ? *options.tenant : std::string("every tenant");
}

// All that comes in, but for one line's end behind it, which editors and echo put there.
Result<std::string> read_input(std::istream& in) {
  std::string value(kMaxSecretInput + 1, '\0');
  in.read(value.data(), static_cast<std::streamsize>(value.size()));
  value.resize(static_cast<std::size_t>(in.gcount()));
  if (value.size() > kMaxSecretInput)
    return base::fail(Code::InvalidArgument, "the value has more than {} bytes", kMaxSecretInput);
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  return value;
}

Result<std::string> read_value(Session& session, const std::string& name) {
  const Surroundings& surroundings = session.surroundings();
  if (surroundings.terminal == Terminal::Yes && surroundings.read_hidden_line) {
    session.tell(fmt::format("Value of {} (it is not shown):", name));
    return surroundings.read_hidden_line();
  }
  return read_input(surroundings.in);
}

// JSON would have it changed without a word.
Result<void> check_text(const std::string& value) {
  if (value.empty())
    return base::fail_with_advice(Code::InvalidArgument, "the value is empty",
                                  "Give it on standard input: printf %s VALUE | granary secret "
                                  "set NAME; to remove a secret: granary secret unset NAME");
  if (base::is_utf8(value)) return {};
  return base::fail_with_advice(Code::InvalidArgument, "the value is not UTF-8 text",
                                "Encode it, as base64 for instance");
}

Result<void> set_secret(Session& session, const SecretOptions& options) {
  TRY_ASSIGN(std::string value, read_value(session, options.name));
  TRY(check_text(value));
  const api_wire::SetSecretDocument wish{std::move(value), options.tenant};
  TRY_ASSIGN(auto operation, session.api().send<OperationDocument>(
                                 http::verb::put, path_to_secret(options.name), wish));
  return finish_operation(session, std::move(operation), options.no_wait ? Wait::No : Wait::Yes,
                          fmt::format("secret {} of {} is set", options.name, whose(options)));
}

Result<void> unset_secret(Session& session, const SecretOptions& options) {
  TRY_ASSIGN(auto operation,
             session.api().remove<OperationDocument>(with_query(
                 path_to_secret(options.name), {{"tenant", options.tenant.value_or("")}})));
  return finish_operation(session, std::move(operation), options.no_wait ? Wait::No : Wait::Yes,
                          fmt::format("secret {} of {} is gone", options.name, whose(options)));
}

Result<void> list_secrets(Session& session, const std::string& tenant) {
  TRY_ASSIGN(const auto list,
             session.api().get_all<SecretList>(path_of({"v1", "secrets"}), {{"tenant", tenant}}));
  session.show(list, [&] {
    Table table({"SECRET", "TENANT", "SET", "BY"});
    for (const SecretDocument& secret : list.items)
      table.add({secret.name, secret.tenant.value_or("(all)"),
                 age(secret.updated, session.now()) + " ago", secret.actor});
    return table.text();
  });
  return {};
}

std::shared_ptr<SecretOptions> add_options(CLI::App& command) {
  auto options = std::make_shared<SecretOptions>();
  command.add_option("NAME", options->name, "A-Z, 0-9 and _, as in the manifest")->required();
  command.add_option("--tenant", options->tenant, "of this tenant; of all else");
  command.add_flag("--no-wait", options->no_wait, "do not wait until tenants have it");
  return options;
}

}  // namespace

void add_secret_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "secret", "values that apps need and nobody sees");
  CLI::App* set = add_verb(*noun, "set", "set one; its value comes on standard input");
  const auto to_set = add_options(*set);
  commands.on(set, [to_set](Session& session) { return set_secret(session, *to_set); });
  CLI::App* list = add_verb(*noun, "list", "their names; values are never given out");
  const auto tenant = std::make_shared<std::string>();
  list->add_option("--tenant", *tenant, "those that it gets");
  commands.on(list, [tenant](Session& session) { return list_secrets(session, *tenant); });
  CLI::App* unset = add_verb(*noun, "unset", "remove one");
  const auto to_unset = add_options(*unset);
  commands.on(unset, [to_unset](Session& session) { return unset_secret(session, *to_unset); });
}

}  // namespace granary::cli

#include "cli/commands.h"

// Commands that the product will have: named, so that nobody wonders, and refused.
namespace granary::cli {

using base::Code;
using base::Result;

namespace {

constexpr const char* kGroup = "Not supported yet";

struct Unbuilt {
  const char* name;
  const char* help;
};

constexpr std::array<Unbuilt, 8> kOfProgram = {{
    {"env", "environments: accounts that belong to no customer"},
    {"rollout", "bring the fleet to a release, in waves"},
    {"drift", "where accounts differ from what they are to be"},
    {"usage", "what each tenant used"},
    {"cost", "what each tenant costs"},
    {"secret", "values that apps need and nobody sees"},
    {"audit", "who did what"},
    {"aws", "accounts in an AWS organization"},
}};

constexpr std::array<Unbuilt, 4> kOfTenant = {{
    {"pin", "hold a tenant at its release"},
    {"unpin", "let it go again"},
    {"export", "all data of a tenant as one file"},
    {"restore", "a tenant from such a file"},
}};

void add(CLI::App& parent, Commands& commands, const Unbuilt& unbuilt) {
  CLI::App* command = parent.add_subcommand(unbuilt.name, unbuilt.help);
  command->group(kGroup);
  command->fallthrough(false);  // whatever follows is not looked at
  command->allow_extras();
  const std::string name = parent.get_parent() == nullptr ? std::string(unbuilt.name)
                                                          : parent.get_name() + " " + unbuilt.name;
  commands.on(command, [name](Session&) -> Result<void> {
    return base::fail_with_advice(Code::NotSupported,
                                  fmt::format("granary {} is not supported yet", name),
                                  "See granary --help for what is");
  });
}

}  // namespace

void add_unbuilt_commands(CLI::App& program, Commands& commands) {
  for (const Unbuilt& unbuilt : kOfProgram) add(program, commands, unbuilt);
  CLI::App* tenant = program.get_subcommand("tenant");
  for (const Unbuilt& unbuilt : kOfTenant) add(*tenant, commands, unbuilt);
}

}  // namespace granary::cli

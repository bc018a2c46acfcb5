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

constexpr std::array<Unbuilt, 5> kOfProgram = {{
    {"env", "environments: accounts that belong to no customer"},
    {"rollout", "bring the fleet to a release, in waves"},
    {"usage", "what each tenant used"},
    {"cost", "what each tenant costs"},
    {"aws", "accounts in an AWS organization"},
}};

void add(CLI::App& program, Commands& commands, const Unbuilt& unbuilt) {
  CLI::App* command = program.add_subcommand(unbuilt.name, unbuilt.help);
  command->group(kGroup);
  command->fallthrough(false);  // whatever follows is not looked at
  command->allow_extras();
  commands.on(command, [name = unbuilt.name](Session&) -> Result<void> {
    return base::fail_with_advice(Code::NotSupported,
                                  fmt::format("granary {} is not supported yet", name),
                                  "See granary --help for what is");
  });
}

}  // namespace

void add_unbuilt_commands(CLI::App& program, Commands& commands) {
  for (const Unbuilt& unbuilt : kOfProgram) add(program, commands, unbuilt);
}

}  // namespace granary::cli

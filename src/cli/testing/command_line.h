// Runs whole command lines against a fake API, as the program does, and keeps what they print.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/testing/world.h"
#include "cli/commands.h"
#include "cli/testing/fake_api.h"

namespace granary::cli::testing {

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

class CommandLine final {
 public:
  // `arguments` are what stands after the program's name. The API's address comes from the
  // environment, unless the test has taken it away.
  Ran run(const std::vector<std::string>& arguments, const std::string& typed = "") {
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in(typed);
    const Surroundings surroundings{out,
                                    err,
                                    in,
                                    terminal,
                                    [this](const std::string& name) -> std::optional<std::string> {
                                      const auto found = environment.find(name);
                                      if (found == environment.end()) return std::nullopt;
                                      return found->second;
                                    },
                                    world.clock,
                                    world.rng,
                                    "",
                                    [this]() -> base::Result<std::string> { return hidden; }};
    Commands commands(surroundings);
    CLI::App program("test");
    program.name("granary");
    program.require_subcommand(1);
    commands.add_to(program);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    Ran ran;
    try {
      program.parse(reversed);
      ran.code = commands.run(program).value_or(-1);
    } catch (const CLI::ParseError& error) {
      ran.code = commands.report(program, error);
    }
    ran.out = out.str();
    ran.err = err.str();
    return ran;
  }

  FakeApi api;
  base::testing::World world;
  Terminal terminal = Terminal::No;
  std::string hidden;  // what the person types when asked for a line that is not shown
  std::map<std::string, std::string> environment = {{"GRANARY_API", api.url()},
                                                    {"GRANARY_TOKEN", "gry_test"}};
};

}  // namespace granary::cli::testing

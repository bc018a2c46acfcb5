// What the command line takes from the process around it, handed in by app, so that tests run
// whole commands without a process. Outlives the commands.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/rng.h"

namespace granary::cli {

// Whether a person sits in front of it: both the input and the error output are terminals.
enum class Terminal { No, Yes };

struct Surroundings {
  std::ostream& out;  // what was asked for, nothing else
  std::ostream& err;  // progress, errors, questions
  std::istream& in;   // answers
  Terminal terminal = Terminal::No;
  std::function<std::optional<std::string>(const std::string& name)> environment;
  const base::Clock& clock;
  base::Rng& rng;
  std::string program_folder;  // where granary's other programs lie beside it
  // A line from the person at the terminal that is not shown; empty where there is none.
  std::function<base::Result<std::string>()> read_hidden_line = {};
};

}  // namespace granary::cli

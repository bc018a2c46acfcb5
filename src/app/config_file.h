// The file of `--config`: lines `option = value`, named like the options of the command line, which
// wins over the file. Read once, after the command line was parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"

namespace granary::app {

// Sets what the command line did not. Errors: NotFound, InvalidArgument (with the option's name).
base::Result<void> apply_config_file(CLI::App& command, const std::string& path);

}  // namespace granary::app

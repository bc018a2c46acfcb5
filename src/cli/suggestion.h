// What is wrong with a command line that does not parse, for people: the word that is not known,
// and the one that was perhaps meant. Pure. Not for what commands refuse themselves.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace granary::cli {

// The word that is nearest to what was typed; empty: none is near.
std::string nearest(std::string_view typed, const std::vector<std::string>& known);
// The innermost command that was given.
const CLI::App* chosen_in(const CLI::App& program);
// InvalidArgument, in our own words, with what to do.
base::Error explain(const CLI::App& program, const CLI::ParseError& error);

}  // namespace granary::cli

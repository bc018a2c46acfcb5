#include "cli/suggestion.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"

namespace granary::cli {

using base::Code;
using base::Error;

namespace {

// Insertions, deletions, replacements and swaps of neighbours that make one word of the other.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::vector<std::size_t>> cost(one.size() + 1,
                                             std::vector<std::size_t>(other.size() + 1));
  for (std::size_t i = 0; i <= one.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= other.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      const bool swapped =
          i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost.back().back();
}

// "granary tenant create".
std::string path_of_command(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name()
                           : path_of_command(*parent) + " " + command.get_name();
}

std::vector<std::string> commands_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

// Its own, and those of the commands around it.
std::vector<std::string> options_of(const CLI::App* command) {
  std::vector<std::string> names;
  for (; command != nullptr; command = command->get_parent()) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string perhaps(const std::string& meant, const CLI::App& command) {
  const std::string path = path_of_command(command);
  return meant.empty() ? fmt::format("{} --help shows what there is", path)
                       : fmt::format("Did you mean {}? {} --help shows what there is", meant, path);
}

Error wrong(std::string message, std::string advice) {
  return {Code::InvalidArgument, std::move(message), std::move(advice), {}};
}

Error unknown_option(const CLI::App& command, const std::string& typed) {
  const std::string name = typed.substr(0, typed.find('='));
  return wrong(fmt::format("{} has no option {}", path_of_command(command), base::quote(name)),
               perhaps(nearest(name, options_of(&command)), command));
}

Error unknown_command(const CLI::App& command, const std::string& typed) {
  const std::string path = path_of_command(command);
  const std::string meant = nearest(typed, commands_of(command));
  return wrong(fmt::format("there is no command {}", base::quote(path + " " + typed)),
               perhaps(meant.empty() ? "" : path + " " + meant, command));
}

Error missing_command(const CLI::App& command) {
  const std::string path = path_of_command(command);
  return wrong(fmt::format("{} is to be followed by a command: {}", path,
                           fmt::join(commands_of(command), ", ")),
               fmt::format("{} --help tells what each does", path));
}

}  // namespace

std::string nearest(std::string_view typed, const std::vector<std::string>& known) {
  std::string best;
  std::size_t least = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const std::string& word : known) {
    // The beginning of a word is near to it, whatever is missing.
    const bool begun = typed.size() >= 3 && word.starts_with(typed);
    const std::size_t far = begun ? 1 : distance(typed, word);
    if (far >= least) continue;
    least = far;
    best = word;
  }
  return best;
}

const CLI::App* chosen_in(const CLI::App& program) {
  const CLI::App* command = &program;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return command;
}

Error explain(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App& command = *chosen_in(program);
  const std::vector<std::string> left = program.remaining(true);
  const auto is_option = [](const std::string& word) { return word.starts_with('-'); };
  const auto option = std::ranges::find_if(left, is_option);
  if (option != left.end()) return unknown_option(command, *option);
  const std::string path = path_of_command(command);
  const bool noun = !commands_of(command).empty();
  if (noun && !left.empty()) return unknown_command(command, left.front());
  if (noun) return missing_command(command);
  if (!left.empty())
    return wrong(fmt::format("{} does not take {}", path, base::quote(left.front())),
                 fmt::format("{} --help shows what it takes", path));
  return wrong(fmt::format("{}: {}", path, error.what()),
               fmt::format("{} --help shows what it takes", path));
}

}  // namespace granary::cli

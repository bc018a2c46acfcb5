// granary-attack: tries to break out of the silo that it runs in. README.md says how it is asked.
#include <unistd.h>

#include <span>
#include <string>
#include <string_view>

#include "walls/attempt.h"
#include "walls/beacon.h"
#include "walls/knowledge.h"
#include "walls/runner.h"
#include "walls/server.h"

namespace {

constexpr int kListener = 3;
constexpr int kWrongUsage = 2;
constexpr std::string_view kUsage =
    "usage: granary-attack                          answers on the listener, descriptor 3\n"
    "       granary-attack --list                   the attempts, as JSON\n"
    "       granary-attack --try all|NAME,... [KEY=VALUE...]\n"
    "       granary-attack --plant MARKER           holds out what the victim would\n";

void print(std::string_view text) { (void)!::write(STDOUT_FILENO, text.data(), text.size()); }

bool is_in(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = list.find(',');
    if (list.substr(0, end) == name) return true;
    if (end == std::string_view::npos) break;
    list.remove_prefix(end + 1);
  }
  return false;
}

// One line of JSON each.
int try_from_command_line(std::span<char*> arguments) {
  using namespace granary::walls;
  const std::string_view wanted(arguments[0]);
  Knowledge known;
  for (const char* argument : arguments.subspan(1)) {
    const std::string_view text(argument);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return kWrongUsage;
    known.set(text.substr(0, equals), text.substr(equals + 1));
  }
  int tried = 0;
  for (const Attempt& attempt : all_attempts()) {
    if (wanted != "all" && !is_in(wanted, attempt.name)) continue;
    print(to_json(attempt, run_attempt(attempt, known)) + "\n");
    ++tried;
  }
  return tried > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() <= 1) return granary::walls::serve(kListener);
  const std::string_view command(arguments[1]);
  if (command == "--list") {
    print(granary::walls::list_as_json());
    return 0;
  }
  if (command == "--try" && arguments.size() > 2)
    return try_from_command_line(arguments.subspan(2));
  if (command == "--plant" && arguments.size() == 3)
    granary::walls::hold_beacons(arguments[2], STDOUT_FILENO);
  print(kUsage);
  return kWrongUsage;
}

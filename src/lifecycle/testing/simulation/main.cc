// granary_sim: simulated worlds from seeds, one after another, until the runs or the minutes asked
// for are over or one of them finds something. `./dev sim` starts it on every core.

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <map>

#include "base/log.h"
#include "base/os/system.h"
#include "lifecycle/testing/simulation/boundaries.h"
#include "lifecycle/testing/simulation/run.h"

namespace granary::lifecycle::simulation {
namespace {

constexpr const char* kUsage =
    "usage: granary_sim [--seed N] [--runs N] [--minutes M] [--tenants N] [--operations N]\n"
    "                   [--customers N] [--calm] [--trace FILE] [--traces FOLDER]\n"
    "                   [--keep-going] [--boundaries] [--part K/N]\n"
    "  --seed       the first seed (1); alone: this one\n"
    "  --runs       so many seeds from there on\n"
    "  --minutes    as many seeds as fit into so many minutes\n"
    "  --tenants, --operations, --customers   instead of what the seed draws\n"
    "  --calm       without faults\n"
    "  --trace      what happens, line by line; -: to standard output\n"
    "  --traces     where the trace of a seed that fails is written\n"
    "  --keep-going past seeds that fail\n"
    "  --boundaries control dies at every boundary of every kind of operation, in turn\n"
    "  --part       of the kinds of operations only each Nth, from the Kth (from 0) on\n";

struct Arguments {
  std::map<std::string, std::string> given;

  bool has(const std::string& name) const { return given.contains(name); }
  double number(const std::string& name, double fallback) const {
    const auto found = given.find(name);
    if (found == given.end()) return fallback;
    double value = fallback;
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  std::string text(const std::string& name) const {
    const auto found = given.find(name);
    return found == given.end() ? std::string() : found->second;
  }
};

bool parse(int count, char** words, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (!word.starts_with("--")) return false;
    const std::string name = word.substr(2);
    const bool alone = name == "calm" || name == "boundaries" || name == "keep-going";
    if (alone) {
      arguments.given[name] = "yes";
    } else if (i + 1 < count) {
      arguments.given[name] = words[++i];
    } else {
      return false;
    }
  }
  return true;
}

// What an assertion or a signal ends says which seed it was.
char current_command[200];

void say_seed_and_die(int number) {
  const char intro[] = "\nFAILED by a signal; repeat with: ";
  (void)!::write(STDERR_FILENO, intro, sizeof intro - 1);
  (void)!::write(STDERR_FILENO, current_command, std::strlen(current_command));
  (void)!::write(STDERR_FILENO, "\n", 1);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void name_the_seed(const std::string& command) {
  const std::size_t length = std::min(command.size(), sizeof current_command - 1);
  std::memcpy(current_command, command.data(), length);
  current_command[length] = '\0';
}

Options options_of(const Arguments& arguments, std::uint64_t seed) {
  Options options = options_for(seed);
  if (arguments.has("calm")) {
    const Options drawn = options;
    options = Options();
    options.seed = seed;
    options.tenants = drawn.tenants;
    options.customers = drawn.customers;
    options.operations = drawn.operations;
    options.think = drawn.think;
    options.check_every = drawn.check_every;
  }
  const auto number = [&](const char* name, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(arguments.number(name, fallback));
  };
  options.tenants = number("tenants", options.tenants);
  options.operations = number("operations", options.operations);
  options.customers = number("customers", options.customers);
  if (options.tenants >= 1'000) options.check_every = std::max(options.check_every, 2'000U);
  return options;
}

std::string command_of(const Arguments& arguments, std::uint64_t seed) {
  std::string command = fmt::format("./dev sim --seed {}", seed);
  for (const char* name : {"tenants", "operations", "customers"}) {
    if (arguments.has(name)) command += fmt::format(" --{} {}", name, arguments.text(name));
  }
  if (arguments.has("calm")) command += " --calm";
  return command;
}

void print_summary(std::uint64_t runs, const Stats& s, double seconds) {
  fmt::print(
      "SUMMARY {{\"runs\": {}, \"seconds\": {:.1f}, \"operations\": {}, \"requests\": {}, "
      "\"lives\": {}, \"crashes_at_writes\": {}, \"crashes_at_calls\": {}, "
      "\"crashes_at_any_time\": {}, \"store_faults\": {}, \"lost_answers\": {}, \"full_disks\": "
      "{}, \"clock_jumps\": {}, \"reboots\": {}, \"replaced\": {}, \"elsewhere\": {}, \"paused\": "
      "{}, \"kept\": {}, \"repeated_calls\": {}, "
      "\"hung_calls\": {}, \"checks\": {}, "
      "\"virtual_hours\": {}}}\n",
      runs, seconds, s.operations, s.requests, s.lives, s.crashes_at_writes, s.crashes_at_calls,
      s.crashes_at_any_time, s.store_faults, s.lost_answers, s.full_disks, s.clock_jumps, s.reboots,
      s.replaced, s.elsewhere, s.paused, s.kept, s.repeated_calls, s.hung_calls, s.checks,
      std::chrono::duration_cast<std::chrono::hours>(s.time).count());
  (void)std::fflush(stdout);
}

void tell_failure(const Arguments& arguments, const Options& options, const Outcome& outcome,
                  const std::string& command) {
  fmt::print("FAILED: seed {}: {}\n  repeat with: {}\n  its world: {}\n", options.seed,
             outcome.failure, command, describe(options));
  if (!arguments.has("traces")) return;
  const std::string file = fmt::format("{}/seed-{}.trace", arguments.text("traces"), options.seed);
  const Outcome again = run(options, file);
  fmt::print("  trace: {}{}\n", file,
             again.failure == outcome.failure ? "" : " (it went another way this time)");
}

int run_seeds(const Arguments& arguments) {
  const base::os::SystemClock clock;
  const auto start = clock.boot();
  const auto passed = [&] { return std::chrono::duration<double>(clock.boot() - start).count(); };
  const auto first = static_cast<std::uint64_t>(arguments.number("seed", 1));
  const double minutes = arguments.number("minutes", 0);
  const auto runs = static_cast<std::uint64_t>(arguments.number("runs", minutes > 0 ? 1e9 : 1));
  Stats stats;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  for (; done < runs && (minutes <= 0 || passed() < minutes * 60); ++done) {
    const std::uint64_t seed = first + done;
    const std::string command = command_of(arguments, seed);
    name_the_seed(command);
    const Options options = options_of(arguments, seed);
    const Outcome outcome = run(options, arguments.text("trace"));
    stats.add(outcome.stats);
    if (!outcome.failure.empty()) {
      ++failed;
      tell_failure(arguments, options, outcome, command);
      if (!arguments.has("keep-going")) break;
    }
    if ((done + 1) % 50 == 0) {
      fmt::print("PROGRESS {} {}\n", done + 1, stats.operations);
      (void)std::fflush(stdout);
    }
  }
  print_summary(done, stats, passed());
  return failed == 0 ? 0 : 1;
}

int run_boundaries(const Arguments& arguments) {
  const std::string part = arguments.has("part") ? arguments.text("part") : "0/1";
  name_the_seed("build/granary_sim --boundaries --part " + part);
  const std::size_t slash = std::min(part.find('/'), part.size() - 1);
  Part which;
  std::from_chars(part.data(), part.data() + slash, which.first);
  std::from_chars(part.data() + slash + 1, part.data() + part.size(), which.of);
  which.of = std::max<std::size_t>(which.of, 1);
  for (const BoundaryResult& result : crash_at_every_boundary(Depth::PairsOfCrashes, which)) {
    fmt::print("{}: {} worlds{}\n", result.name, result.worlds,
               result.failure.empty() ? "" : "\nFAILED: " + result.failure);
    if (!result.failure.empty()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace granary::lifecycle::simulation

int main(int count, char** words) {
  using namespace granary::lifecycle::simulation;
  Arguments arguments;
  if (!parse(count, words, arguments)) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  // Faults are the point here: the platform's log of them would be most of the work.
  granary::base::log::start("sim", granary::base::log::Level::Off);
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) ::signal(number, say_seed_and_die);
  return arguments.has("boundaries") ? run_boundaries(arguments) : run_seeds(arguments);
}

#include "agent/failure.h"

#include <algorithm>
#include <cstring>

namespace granary::agent {
namespace {

std::string what_happened(const SiloEnd& end, const wire::ServiceSpec& spec) {
  if (end.out_of_memory)
    return fmt::format(
        "it used more than its {} MiB of memory and was killed. Raise "
        "limits.memory in granary.yaml, or make it use less",
        spec.limits.memory_bytes >> 20);
  switch (end.kind) {
    case SiloEnd::Kind::Unknown:
      return "it was killed from outside";
    case SiloEnd::Kind::Exited:
      return fmt::format("it ended by itself with exit code {}. See its log for the reason",
                         end.value);
    case SiloEnd::Kind::Signalled:
      return fmt::format("it was ended by signal {} ({}). See its log for the reason", end.value,
                         ::strsignal(end.value));
    case SiloEnd::Kind::NotStarted:
      return fmt::format("'{}' could not be started: {}. Correct `command` in granary.yaml",
                         spec.command.front(), std::strerror(end.value));
    case SiloEnd::Kind::NoSandbox:
      return "its sandbox could not be made. Run granary doctor on this machine";
  }
  return "";
}

// Of the way out: granary-init listens there in every silo that has one.
constexpr std::uint16_t kEgressPort = 3128;

// Where it listens instead, and what to do about it; empty: nowhere.
std::string others(const std::vector<std::uint16_t>& ports, const wire::ServiceSpec& spec) {
  if (spec.port != 0 && std::ranges::find(ports, spec.port) != ports.end())
    return fmt::format(
        ". It listens on that port of another address, such as [::1]:{}: make it listen on "
        "127.0.0.1",
        spec.port);
  for (const std::uint16_t port : ports) {
    if (port == spec.port || port == kEgressPort) continue;
    return fmt::format(
        ". It listens on TCP port {} instead: write `listen: {}` in granary.yaml, or make it serve "
        "{}",
        port, port,
        spec.port != 0 ? "the port in PORT"
                       : "the socket that it inherits (a shell script in `command` must start it "
                         "with exec)");
  }
  return "";
}

}  // namespace

std::string describe_end(const SiloEnd& end, const wire::ServiceSpec& spec) {
  std::string text = what_happened(end, spec);
  if (end.out_of_processes) text += ". Before, " + describe_process_limit(spec.limits.processes);
  if (!end.detail.empty()) text += ". It said last: " + end.detail;
  return text;
}

std::string describe_process_limit(std::uint64_t processes) {
  return fmt::format(
      "it reached its limit of {} processes and threads, and could not start another. Raise "
      "limits.processes in granary.yaml, or make it start fewer threads",
      processes);
}

std::string describe_silence(const wire::ServiceSpec& spec,
                             const std::vector<std::uint16_t>& ports) {
  const auto within = std::chrono::duration<double>(spec.start_timeout).count();
  std::string text = spec.port != 0
                         ? fmt::format("it did not listen on port {} within {:g} s and was stopped",
                                       spec.port, within)
                         : fmt::format(
                               "nobody in it accepted a connection on descriptor 3 within {:g} s "
                               "and it was stopped",
                               within);
  if (const std::string elsewhere = others(ports, spec); !elsewhere.empty())
    return text + elsewhere;
  if (spec.port != 0)
    return text +
           ". Make it listen on 127.0.0.1 at the port in PORT, or raise start_timeout in "
           "granary.yaml";
  return text +
         ". Make it serve the socket that it inherits (LISTEN_FDS): a shell script in `command` "
         "must start it with exec; or give the port that it listens on as `listen` in "
         "granary.yaml; or raise start_timeout";
}

}  // namespace granary::agent

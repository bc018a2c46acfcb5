#include "agent/failure.h"

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

}  // namespace

std::string describe_end(const SiloEnd& end, const wire::ServiceSpec& spec) {
  std::string text = what_happened(end, spec);
  if (!end.detail.empty()) text += ". It said last: " + end.detail;
  return text;
}

std::string describe_silence(const wire::ServiceSpec& spec) {
  return fmt::format(
      "it did not listen on port {} within {} ms and was stopped. Make it listen on 127.0.0.1 at "
      "the port in PORT, or raise start_timeout in granary.yaml",
      spec.port, spec.start_timeout.count());
}

}  // namespace granary::agent

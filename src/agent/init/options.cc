#include "agent/init/options.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "agent/init/limits.h"

namespace granary::init {
namespace {

using Outcome = std::optional<const char*>;  // what is wrong, or nothing

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t low,
                                          std::uint64_t high) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (number < low || number > high) return std::nullopt;
  return number;
}

Outcome read_listen(std::string_view value, Options& options) {
  if (value == "fd") {
    options.listen = Listen::Descriptor;
    return {};
  }
  const auto port = parse_number(value, 1, 65535);
  if (!port) return "must be `fd` or a port from 1 to 65535";
  options.listen = Listen::Port;
  options.port = static_cast<std::uint16_t>(*port);
  return {};
}

Outcome read_stop_timeout(std::string_view value, Options& options) {
  const auto high = static_cast<std::uint64_t>(kMaxStopTimeout.count());
  const auto number = parse_number(value, 0, high);
  if (!number) return "must be a number of milliseconds, at most an hour";
  options.stop_timeout = std::chrono::milliseconds(*number);
  return {};
}

Outcome read_log_bytes(std::string_view value, Options& options) {
  const auto number = parse_number(value, kMinLogBytes, kMaxLogBytes);
  if (!number) return "must be a number of bytes, at least 32768";
  options.log_bytes = *number;
  return {};
}

Outcome read_path(const char* value, const char*& path) {
  if (value[0] != '/') return "must be an absolute path";
  path = value;
  return {};
}

Outcome read_watches(std::string_view value, Options& options) {
  if (value != "guarded") return "must be `guarded`";
  options.watches = Options::Watches::Guarded;
  return {};
}

// Which options were given; those that have no default must be.
struct Seen {
  bool listen = false;
  bool stop_timeout = false;
  bool log_bytes = false;
};

Outcome read_option(std::string_view name, const char* value, Options& options, Seen& seen) {
  if (name == "--listen") {
    seen.listen = true;
    return read_listen(value, options);
  }
  if (name == "--stop-timeout") {
    seen.stop_timeout = true;
    return read_stop_timeout(value, options);
  }
  if (name == "--log-bytes") {
    seen.log_bytes = true;
    return read_log_bytes(value, options);
  }
  if (name == "--workdir") return read_path(value, options.workdir);
  if (name == "--watches") return read_watches(value, options);
  if (name == "--empty") return read_path(value, options.empty);
  if (name == "--egress") return read_path(value, options.egress);
  return "is not an option of granary-init";
}

}  // namespace

std::expected<Options, OptionsError> parse_options(std::span<char*> arguments) {
  const auto wrong = [](const char* option, const char* problem) {
    return std::unexpected(OptionsError{option, problem});
  };
  Options options;
  Seen seen;
  std::size_t next = 0;
  while (next < arguments.size() && std::string_view(arguments[next]) != "--") {
    char* name = arguments[next];
    if (next + 1 == arguments.size()) return wrong(name, "has no value");
    if (const Outcome problem = read_option(name, arguments[next + 1], options, seen)) {
      return wrong(name, *problem);
    }
    next += 2;
  }
  if (!seen.listen) return wrong("--listen", "is missing");
  if (!seen.stop_timeout) return wrong("--stop-timeout", "is missing");
  if (!seen.log_bytes) return wrong("--log-bytes", "is missing");
  if (next + 1 >= arguments.size()) return wrong("--", "and the app's command are missing");
  options.command = arguments.data() + next + 1;
  if (options.command[0][0] == '\0') return wrong("--", "is followed by an empty command");
  return options;
}

}  // namespace granary::init

// The platform's own log: one line an event, to standard error, in logfmt-like text. Values from
// outside are escaped here, so that no line can be forged. Usable from any thread.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace granary::base::log {

enum class Level { Debug, Info, Warn, Error, Off };

// `role` stands at the front of each line: control, gateway, agent, up.
void start(std::string_view role, Level level);
void write(Level level, std::string_view message);

// Control characters and non-ASCII bytes as \xNN.
std::string escape(std::string_view text);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace granary::base::log

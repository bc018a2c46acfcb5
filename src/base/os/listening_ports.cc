#include "base/os/listening_ports.h"

#include <algorithm>
#include <charconv>

#include "base/os/file.h"

namespace granary::base::os {
namespace {

constexpr std::size_t kMaxTable = 1U << 20;
constexpr std::string_view kListening = "0A";  // TCP_LISTEN

// Cuts the next word off `line`.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

std::vector<std::uint16_t> parse_listening_ports(std::string_view table) {
  std::vector<std::uint16_t> ports;
  while (!table.empty()) {
    const std::size_t end = std::min(table.find('\n'), table.size());
    std::string_view line = table.substr(0, end);
    table.remove_prefix(std::min(end + 1, table.size()));
    (void)next_word(line);  // the entry's number
    const std::string_view local = next_word(line);
    (void)next_word(line);  // the other end
    const std::size_t colon = local.rfind(':');
    if (next_word(line) != kListening || colon == std::string_view::npos) continue;
    std::uint16_t port = 0;
    const auto parsed =
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), port, 16);
    if (parsed.ec == std::errc()) ports.push_back(port);
  }
  std::ranges::sort(ports);
  const auto repeated = std::ranges::unique(ports);
  ports.erase(repeated.begin(), repeated.end());
  return ports;
}

std::vector<std::uint16_t> listening_ports(pid_t pid) {
  std::string tables;
  for (const char* name : {"tcp", "tcp6"})
    tables += read_file(fmt::format("/proc/{}/net/{}", pid, name), kMaxTable).value_or("") + "\n";
  return parse_listening_ports(tables);
}

}  // namespace granary::base::os

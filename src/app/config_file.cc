#include "app/config_file.h"

#include <sstream>

#include "base/os/file.h"

namespace granary::app {

using base::Code;
using base::Result;

namespace {

constexpr std::size_t kLargestFile = 1U << 20;

Result<void> set(CLI::App& command, const CLI::ConfigItem& item, const std::string& path) {
  CLI::Option* option = command.get_option_no_throw("--" + item.name);
  if (option == nullptr || item.name == "config" || !item.parents.empty())
    return base::fail_with_advice(
        Code::InvalidArgument, fmt::format("--config {}: there is no option '{}'", path, item.name),
        fmt::format("Write lines such as domain = \"example.com\"; granary {} --help names all",
                    command.get_name()));
  if (option->count() > 0) return {};  // the command line wins
  try {
    option->add_result(item.inputs);
    option->run_callback();
  } catch (const CLI::ParseError& error) {
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("--config {}: the value of '{}' cannot be used: {}",
                                              path, item.name, error.what()),
                                  "Correct that line");
  }
  return {};
}

}  // namespace

Result<void> apply_config_file(CLI::App& command, const std::string& path) {
  const auto text = base::os::read_file(path, kLargestFile);
  if (!text)
    return base::fail_with_advice(
        text.error().code,
        fmt::format("the file of --config cannot be read: {}", text.error().message),
        "Give the path of a file with lines such as domain = \"example.com\"");
  std::istringstream stream(*text);
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(stream);
  } catch (const CLI::ParseError& error) {
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("--config {}: {}", path, error.what()),
                                  "Write lines such as domain = \"example.com\"");
  }
  for (const CLI::ConfigItem& item : items) TRY(set(command, item, path));
  return {};
}

}  // namespace granary::app

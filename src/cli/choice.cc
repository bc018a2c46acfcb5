#include "cli/choice.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"

namespace granary::cli {

CLI::Validator choice(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](std::string& word) {
        if (std::ranges::find(words, word) != words.end()) return std::string();
        return fmt::format("{} is not one of: {}", base::quote(word), fmt::join(words, ", "));
      },
      "");
}

}  // namespace granary::cli

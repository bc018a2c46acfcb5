// One word of a few as an option's value, with an error that names them all.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace granary::cli {

// Refuses other words.
CLI::Validator choice(std::vector<std::string> words);

// Of an enum: the word becomes its number, which is what CLI11 reads.
template <class Enum>
CLI::Validator choice(const std::map<std::string, Enum>& values) {
  std::vector<std::string> words;
  for (const auto& [word, value] : values) words.push_back(word);
  CLI::Validator known = choice(words);
  return CLI::Validator(
      [known, values](std::string& word) {
        const auto found = values.find(word);
        if (found == values.end()) return known(word);
        word = std::to_string(static_cast<int>(found->second));
        return std::string();
      },
      "");
}

}  // namespace granary::cli

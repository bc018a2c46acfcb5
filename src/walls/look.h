// Reading what lies around: files, folders and words of text, without a verdict. Nothing here
// fails loudly: what cannot be read is empty, and errno tells why.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace granary::walls {

// At most `limit` bytes; of files in /proc as well, which tell no size.
std::string read_text(const std::string& path, std::size_t limit = 1 << 20);
// Replaces the file. 0, or -1 and errno.
int write_text(const std::string& path, std::string_view text);
// Names, without "." and "..".
std::vector<std::string> names_in(const std::string& path);
// Process numbers that /proc shows.
std::vector<int> visible_pids();

std::vector<std::string> lines_of(std::string_view text);
std::vector<std::string> words_of(std::string_view text);
// The rest of the first line that begins with `key`, without blanks around it.
std::string value_of(std::string_view text, std::string_view key);

// The number of `text`, or -1 if it is none.
long number_of(std::string_view text);

}  // namespace granary::walls

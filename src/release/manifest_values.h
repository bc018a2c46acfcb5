// The small languages inside a manifest's texts: sizes, times, names, paths. Pure functions from a
// text to a value, or to what is wrong with it; where it stood is for the caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace granary::release {

// Digits alone; nothing for anything else, or beyond 64 bits.
std::optional<std::uint64_t> parse_whole(std::string_view text);
// 512Ki, 128Mi, 1Gi, 2Ti: whole numbers of powers of 1024.
std::optional<std::uint64_t> parse_size(std::string_view text);
// 500ms, 60s, 5m, 2h, 1d: whole numbers, at most a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// Thousandths of 0.5, 2, 1.25: at most three digits after the point.
std::optional<std::uint64_t> parse_thousandths(std::string_view text);

// How parse_* would read it: "128Mi", "1.5s" as "1500ms", for messages.
std::string print_size(std::uint64_t bytes);
std::string print_duration(std::chrono::milliseconds duration);
std::string print_thousandths(std::uint64_t thousandths);

// What is wrong with the text, or nothing.
std::string_view name_fault(std::string_view text);       // [a-z][a-z0-9-]{0,30}
std::string_view variable_fault(std::string_view text);   // [A-Za-z_][A-Za-z0-9_]*, not reserved
std::string_view route_fault(std::string_view text);      // "/", "/api/", "/hook"
std::string_view url_path_fault(std::string_view text);   // "/api/health"
std::string_view file_path_fault(std::string_view text);  // "web/dist": relative, no . nor ..

// A command that somebody wrote as one text, as the list that it must be: [python3, -m, app]. What
// is quoted in it, as in a shell, stays one word.
std::string list_of_words(std::string_view command);
bool has_blank(std::string_view text);
bool is_blank(std::string_view text);

}  // namespace granary::release

#include "api/metrics.h"

#include <fmt/format.h>

namespace granary::api {
namespace {

std::string escape(std::string_view value) {
  std::string safe;
  for (const char c : value) {
    if (c == '\\' || c == '"') safe += '\\';
    safe += c == '\n' ? ' ' : c;
  }
  return safe;
}

}  // namespace

void MetricsWriter::family(std::string_view name, std::string_view kind, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
}

void MetricsWriter::sample(const Labels& labels, std::uint64_t value) {
  std::string list;
  for (const auto& [name, text] : labels)
    list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", name, escape(text));
  if (!list.empty()) list = "{" + list + "}";
  text_ += fmt::format("{}{} {}\n", name_, list, value);
}

}  // namespace granary::api

#include "cli/text.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace granary::cli {
namespace {

// Bytes of the well-formed, printable character that begins here; 0 when there is none.
std::size_t printable_prefix(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length) {
    if (base::is_utf8(text.substr(0, length)))
      return base::is_printable_utf8(text.substr(0, length)) ? length : 0;
  }
  return 0;
}

// Characters, not bytes: what a terminal shows, but for wide ones.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string safe(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = printable_prefix(text);
    if (length > 0) {
      result += text.substr(0, length);
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string age(const std::string& time, base::WallTime now) {
  const auto parsed = base::parse_rfc3339(time);
  if (!parsed) return time;
  const auto seconds =
      std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(now - *parsed).count());
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86'400);
}

namespace {

void add_outline(std::string& text, const base::json::value& value, const std::string& indent) {
  if (const auto* object = value.if_object()) {
    text += '\n';
    for (const auto& member : *object) {
      text += fmt::format("{}{}:", indent, safe(member.key()));
      add_outline(text, member.value(), indent + "  ");
    }
  } else if (const auto* list = value.if_array(); list != nullptr && !list->empty()) {
    text += '\n';
    for (const auto& item : *list) {
      text += indent + "-";
      add_outline(text, item, indent + "  ");
    }
  } else {
    const bool plain = value.is_string();
    text += ' ' + safe(plain ? std::string(value.get_string()) : base::json::print(value)) + '\n';
  }
}

}  // namespace

std::string outline(const base::json::object& document) {
  std::string text;
  add_outline(text, document, "");
  return text.substr(1);  // the line's end before the first member
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows_) {
    auto& line = cells.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.push_back(row[i].empty() ? "-" : safe(row[i]));
      widths[i] = std::max(widths[i], width(line.back()));
    }
  }
  std::string text;
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text += std::string(widths[i] - width(line[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

void Facts::add(std::string name, std::string value) {
  if (!value.empty()) facts_.emplace_back(std::move(name), std::move(value));
}

std::string Facts::text() const {
  std::size_t widest = 0;
  for (const auto& [name, value] : facts_) widest = std::max(widest, name.size());
  std::string text;
  for (const auto& [name, value] : facts_)
    text += fmt::format("{}:{}{}\n", name, std::string(widest - name.size() + 2, ' '), safe(value));
  return text;
}

}  // namespace granary::cli

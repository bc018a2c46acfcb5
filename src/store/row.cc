#include <charconv>

#include "base/check.h"
#include "store/store.h"

namespace granary::store {

namespace {

[[noreturn]] void damaged(std::size_t column, std::string_view expected) {
  throw DamagedRow(fmt::format("column {} of a stored row holds no {}", column, expected));
}

}  // namespace

std::int64_t Row::integer(std::size_t column) const {
  const auto value = maybe_integer(column);
  if (!value) damaged(column, "number");
  return *value;
}

const std::string& Row::text(std::size_t column) const {
  INVARIANT(column < values_.size());
  const auto* value = std::get_if<std::string>(&values_[column]);
  if (value == nullptr) damaged(column, "text");
  return *value;
}

std::optional<std::int64_t> Row::maybe_integer(std::size_t column) const {
  INVARIANT(column < values_.size());
  if (std::holds_alternative<std::monostate>(values_[column])) return std::nullopt;
  if (const auto* integer = std::get_if<std::int64_t>(&values_[column])) return *integer;
  // SQLite gives no declared type to an expression such as count(*): SOCI then reads it as text.
  const auto& text = std::get<std::string>(values_[column]);
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole) damaged(column, "number");
  return value;
}

std::optional<std::string> Row::maybe_text(std::size_t column) const {
  INVARIANT(column < values_.size());
  if (std::holds_alternative<std::monostate>(values_[column])) return std::nullopt;
  return text(column);
}

}  // namespace granary::store

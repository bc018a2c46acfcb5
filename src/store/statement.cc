#include "store/statement.h"

#include <algorithm>

#include "store/limits.h"

namespace granary::store {
namespace {

bool returns_rows(std::string_view sql) {
  return sql.starts_with("SELECT") || sql.starts_with("PRAGMA") || sql.starts_with("WITH") ||
         sql.find(" RETURNING ") != std::string_view::npos;
}

Value column(const soci::row& row, std::size_t index) {
  if (row.get_indicator(index) == soci::i_null) return std::monostate();
  switch (row.get_properties(index).get_data_type()) {
    case soci::dt_integer:
      return std::int64_t{row.get<int>(index)};
    case soci::dt_long_long:
      return std::int64_t{row.get<long long>(index)};
    case soci::dt_unsigned_long_long:
      return static_cast<std::int64_t>(row.get<unsigned long long>(index));
    case soci::dt_double:
      return static_cast<std::int64_t>(row.get<double>(index));
    case soci::dt_string:
    case soci::dt_date:
    case soci::dt_blob:
    case soci::dt_xml:
      break;
  }
  return row.get<std::string>(index);
}

// A statement is bound for integers or for texts; a NULL is a text that is not there.
bool is_integer(const Value& value) { return std::holds_alternative<std::int64_t>(value); }

std::string key_of(std::string_view sql, const std::vector<Value>& parameters) {
  std::string key;
  key.reserve(parameters.size() + 1 + sql.size());
  for (const Value& parameter : parameters) key += is_integer(parameter) ? 'i' : 't';
  key += ' ';
  key += sql;
  return key;
}

}  // namespace

Statement::Statement(soci::session& session, const std::string& sql, const std::vector<Value>& like)
    : places_(like.size()), returns_rows_(returns_rows(sql)), statement_(session) {
  if (returns_rows_) statement_.exchange(soci::into(row_));
  for (std::size_t i = 0; i < like.size(); ++i) {
    Place& place = places_[i];
    const std::string name = std::to_string(i + 1);
    if (is_integer(like[i])) {
      statement_.exchange(soci::use(place.integer, place.indicator, name));
    } else {
      statement_.exchange(soci::use(place.text, place.indicator, name));
    }
  }
  statement_.alloc();
  statement_.prepare(sql);
  statement_.define_and_bind();
}

std::vector<Row> Statement::run(const std::vector<Value>& parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Place& place = places_[i];
    place.indicator =
        std::holds_alternative<std::monostate>(parameters[i]) ? soci::i_null : soci::i_ok;
    if (const auto* integer = std::get_if<std::int64_t>(&parameters[i])) place.integer = *integer;
    if (const auto* text = std::get_if<std::string>(&parameters[i])) place.text = *text;
  }
  std::vector<Row> rows;
  // To the end: a statement that stops at a row keeps its snapshot of the database open.
  for (bool more = statement_.execute(true); returns_rows_ && more; more = statement_.fetch()) {
    std::vector<Value> values;
    values.reserve(row_.size());
    for (std::size_t i = 0; i < row_.size(); ++i) values.push_back(column(row_, i));
    rows.emplace_back(std::move(values));
  }
  return rows;
}

Statement& StatementCache::get(std::string_view sql, const std::vector<Value>& parameters) {
  std::string key = key_of(sql, parameters);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    make_room();
    auto made = std::make_unique<Statement>(session_, std::string(sql), parameters);
    found = entries_.emplace(std::move(key), Entry{std::move(made), 0}).first;
  }
  found->second.last_used = ++uses_;
  return *found->second.statement;
}

void StatementCache::forget(std::string_view sql, const std::vector<Value>& parameters) {
  entries_.erase(key_of(sql, parameters));
}

void StatementCache::make_room() {
  if (entries_.size() < kMaxStatements) return;
  entries_.erase(std::ranges::min_element(
      entries_, {}, [](const auto& entry) { return entry.second.last_used; }));
}

}  // namespace granary::store

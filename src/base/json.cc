#include "base/json.h"

#include <algorithm>
#include <cmath>

namespace granary::base::json {

namespace {

// The parser makes infinities and NaN of exponents beyond what a double can hold ("0E741"): they
// are no JSON, would be printed as something else, and no bound holds them.
bool all_finite(const value& document) {
  if (document.is_double()) return std::isfinite(document.get_double());
  if (const array* list = document.if_array()) return std::ranges::all_of(*list, all_finite);
  if (const object* members = document.if_object())
    return std::ranges::all_of(*members,
                               [](const auto& member) { return all_finite(member.value()); });
  return true;
}

}  // namespace

Result<value> parse(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes)
    return fail(Code::Exhausted, "the document has {} bytes, more than {}", text.size(), max_bytes);
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code failed;
  value document = boost::json::parse({text.data(), text.size()}, failed, {}, options);
  if (failed) return fail(Code::InvalidArgument, "this is not JSON: {}", failed.message());
  if (!all_finite(document))
    return fail(Code::InvalidArgument, "a number in the document is too large");
  return document;
}

Result<object> parse_object(std::string_view text, std::size_t max_bytes) {
  TRY_ASSIGN(value document, parse(text, max_bytes));
  if (!document.is_object())
    return fail(Code::InvalidArgument, "the document must be a JSON object");
  return std::move(document.get_object());
}

std::string print(const value& document) { return boost::json::serialize(document); }

Result<std::string> get_string(const object& from, std::string_view name) {
  const value* member = from.if_contains(name);
  if (member == nullptr) return fail(Code::InvalidArgument, "member '{}' is missing", name);
  if (!member->is_string())
    return fail(Code::InvalidArgument, "member '{}' must be a string", name);
  return std::string(member->get_string());
}

Result<std::int64_t> get_int(const object& from, std::string_view name) {
  const value* member = from.if_contains(name);
  if (member == nullptr) return fail(Code::InvalidArgument, "member '{}' is missing", name);
  boost::system::error_code failed;
  const auto number = member->to_number<std::int64_t>(failed);
  if (failed) return fail(Code::InvalidArgument, "member '{}' must be a whole number", name);
  return number;
}

Result<std::string> get_string_or(const object& from, std::string_view name,
                                  std::string_view fallback) {
  const value* member = from.if_contains(name);
  if (member == nullptr || member->is_null()) return std::string(fallback);
  return get_string(from, name);
}

Result<std::int64_t> get_int_or(const object& from, std::string_view name, std::int64_t fallback) {
  const value* member = from.if_contains(name);
  if (member == nullptr || member->is_null()) return fallback;
  return get_int(from, name);
}

Result<std::vector<std::string>> get_strings(const object& from, std::string_view name) {
  std::vector<std::string> texts;
  const value* member = from.if_contains(name);
  if (member == nullptr || member->is_null()) return texts;
  const array* list = member->if_array();
  if (list == nullptr)
    return fail(Code::InvalidArgument, "member '{}' must be a list of strings", name);
  for (const value& item : *list) {
    if (!item.is_string())
      return fail(Code::InvalidArgument, "member '{}' must be a list of strings", name);
    texts.emplace_back(item.get_string());
  }
  return texts;
}

const object* find_object(const object& from, std::string_view name) {
  const value* member = from.if_contains(name);
  return member == nullptr ? nullptr : member->if_object();
}

const array* find_array(const object& from, std::string_view name) {
  const value* member = from.if_contains(name);
  return member == nullptr ? nullptr : member->if_array();
}

array from_strings(const std::vector<std::string>& texts) {
  array list;
  list.reserve(texts.size());
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

object from_error(const Error& error) {
  object document;
  document["code"] = to_string(error.code);
  document["message"] = error.message;
  if (!error.advice.empty()) document["advice"] = error.advice;
  if (!error.context.empty()) document["context"] = from_strings(error.context);
  return document;
}

Error to_error(const object& from) {
  Error error;
  error.code = code_from(get_string_or(from, "code", "internal").value_or("internal"));
  error.message = get_string_or(from, "message", "").value_or("");
  error.advice = get_string_or(from, "advice", "").value_or("");
  error.context = get_strings(from, "context").value_or(std::vector<std::string>());
  return error;
}

}  // namespace granary::base::json

// The codec of what documents are made of: texts, numbers, lists, maps, and what may be missing.
// codec.h puts them together to documents. Pure; any thread. Each Codec<T> writes, reads with
// errors that name the place, and gives the JSON Schema.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace granary::api_wire {

// What to do with members that a document does not have: a server refuses them, because a member
// that is ignored is a wish unheard; a client ignores them, because the server may be newer.
enum class Unknown { Refuse, Ignore };

template <class T>
struct Codec;

// "must be a string", with the place.
[[nodiscard]] inline base::Failure wrong_type(const std::string& at, std::string_view expected) {
  return base::fail(base::Code::InvalidArgument, "{} must be {}",
                    at.empty() ? "the document" : "member '" + at + "'", expected);
}

template <>
struct Codec<std::string> {
  static base::json::value write(const std::string& text) {
    return base::json::value(base::as_utf8(text));
  }
  static base::Result<std::string> read(const base::json::value& from, const std::string& at,
                                        Unknown) {
    if (!from.is_string()) return wrong_type(at, "a string");
    return std::string(from.get_string());
  }
  static base::json::object schema() { return {{"type", "string"}}; }
};

template <>
struct Codec<bool> {
  static base::json::value write(const bool& value) { return base::json::value(value); }
  static base::Result<bool> read(const base::json::value& from, const std::string& at, Unknown) {
    if (!from.is_bool()) return wrong_type(at, "true or false");
    return from.get_bool();
  }
  static base::json::object schema() { return {{"type", "boolean"}}; }
};

template <std::integral T>
struct Codec<T> {
  static base::json::value write(const T& number) { return base::json::value(number); }
  static base::Result<T> read(const base::json::value& from, const std::string& at, Unknown) {
    boost::system::error_code failed;
    const T number = from.to_number<T>(failed);
    if (failed) return wrong_type(at, std::signed_integral<T> ? "a whole number" : "a number >= 0");
    return number;
  }
  static base::json::object schema() {
    base::json::object schema = {{"type", "integer"}};
    if (std::unsigned_integral<T>) schema["minimum"] = 0;
    return schema;
  }
};

// Whatever JSON object: a manifest, say, that this version need not understand.
template <>
struct Codec<base::json::object> {
  static base::json::value write(const base::json::object& object) { return object; }
  static base::Result<base::json::object> read(const base::json::value& from, const std::string& at,
                                               Unknown) {
    if (!from.is_object()) return wrong_type(at, "an object");
    return from.get_object();
  }
  static base::json::object schema() { return {{"type", "object"}}; }
};

template <class T>
struct Codec<std::optional<T>> {
  static base::json::value write(const std::optional<T>& value) {
    return value ? Codec<T>::write(*value) : base::json::value(nullptr);
  }
  static base::Result<std::optional<T>> read(const base::json::value& from, const std::string& at,
                                             Unknown unknown) {
    if (from.is_null()) return std::optional<T>();
    TRY_ASSIGN(T value, Codec<T>::read(from, at, unknown));
    return std::optional<T>(std::move(value));
  }
  static base::json::object schema() {
    base::json::object schema = Codec<T>::schema();
    if (const auto* type = schema.if_contains("type"))
      schema["type"] = base::json::array{*type, "null"};
    return schema;
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static base::json::value write(const std::vector<T>& items) {
    base::json::array list;
    list.reserve(items.size());
    for (const T& item : items) list.push_back(Codec<T>::write(item));
    return list;
  }
  static base::Result<std::vector<T>> read(const base::json::value& from, const std::string& at,
                                           Unknown unknown) {
    const base::json::array* list = from.if_array();
    if (list == nullptr) return wrong_type(at, "a list");
    std::vector<T> items;
    for (const base::json::value& item : *list) {
      TRY_ASSIGN(T value, Codec<T>::read(item, fmt::format("{}[{}]", at, items.size()), unknown));
      items.push_back(std::move(value));
    }
    return items;
  }
  static base::json::object schema() { return {{"type", "array"}, {"items", Codec<T>::schema()}}; }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static base::json::value write(const std::map<std::string, T>& members) {
    base::json::object object;
    for (const auto& [name, value] : members) object[name] = Codec<T>::write(value);
    return object;
  }
  static base::Result<std::map<std::string, T>> read(const base::json::value& from,
                                                     const std::string& at, Unknown unknown) {
    const base::json::object* object = from.if_object();
    if (object == nullptr) return wrong_type(at, "an object");
    std::map<std::string, T> members;
    for (const auto& member : *object) {
      const std::string name(member.key());
      TRY_ASSIGN(T value, Codec<T>::read(member.value(), fmt::format("{}.{}", at, name), unknown));
      members.emplace(name, std::move(value));
    }
    return members;
  }
  static base::json::object schema() {
    return {{"type", "object"}, {"additionalProperties", Codec<T>::schema()}};
  }
};

}  // namespace granary::api_wire

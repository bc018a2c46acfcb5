// How documents become JSON, come back, and describe themselves: one codec for every struct that
// BOOST_DESCRIBE_STRUCT has described, so that what is written, read and said in the OpenAPI
// document cannot differ. Optional members, lists and maps may be missing; everything else must be
// there. Pure; any thread. Not for the store's or the agent's formats: they have their own.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
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
concept Described = boost::describe::has_describe_members<T>::value;

template <class T>
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
struct Codec;

// "must be a string", with the place.
[[nodiscard]] inline base::Failure wrong_type(const std::string& at, std::string_view expected) {
  return base::fail(base::Code::InvalidArgument, "{} must be {}",
                    at.empty() ? "the document" : "member '" + at + "'", expected);
}

template <>
struct Codec<std::string> {
  static base::json::value write(const std::string& text) { return base::json::value(text); }
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
      TRY_ASSIGN(T value, Codec<T>::read(member.value(), at + "." + name, unknown));
      members.emplace(name, std::move(value));
    }
    return members;
  }
  static base::json::object schema() {
    return {{"type", "object"}, {"additionalProperties", Codec<T>::schema()}};
  }
};

// Members that may be missing when read.
template <class T>
inline constexpr bool kMayBeMissing = false;
template <class T>
inline constexpr bool kMayBeMissing<std::optional<T>> = true;
template <class T>
inline constexpr bool kMayBeMissing<std::vector<T>> = true;
template <class T>
inline constexpr bool kMayBeMissing<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <Described T>
struct Codec<T> {
  template <class Member>
  using TypeOf = std::remove_cvref_t<decltype(std::declval<T&>().*Member::pointer)>;

  static base::json::value write(const T& document) {
    base::json::object object;
    boost::mp11::mp_for_each<MembersOf<T>>([&]<class Member>(Member) {
      const auto& value = document.*Member::pointer;
      if constexpr (kIsOptional<TypeOf<Member>>) {
        if (!value) return;
      }
      object[Member::name] = Codec<TypeOf<Member>>::write(value);
    });
    return object;
  }

  static base::Result<T> read(const base::json::value& from, const std::string& at,
                              Unknown unknown) {
    const base::json::object* object = from.if_object();
    if (object == nullptr) return wrong_type(at, "an object");
    if (unknown == Unknown::Refuse) TRY(refuse_unknown(*object, at));
    T document;
    base::Result<void> outcome;
    boost::mp11::mp_for_each<MembersOf<T>>([&]<class Member>(Member) {
      if (!outcome) return;
      const std::string place = at.empty() ? Member::name : at + "." + Member::name;
      const base::json::value* member = object->if_contains(Member::name);
      if (member == nullptr) {
        if (!kMayBeMissing<TypeOf<Member>>)
          outcome = base::fail(base::Code::InvalidArgument, "member '{}' is missing", place);
        return;
      }
      auto value = Codec<TypeOf<Member>>::read(*member, place, unknown);
      if (!value) {
        outcome = std::unexpected(value.error());
        return;
      }
      document.*Member::pointer = std::move(*value);
    });
    if (!outcome) return std::unexpected(outcome.error());
    return document;
  }

  static base::json::object schema() {
    base::json::object properties;
    base::json::array required;
    boost::mp11::mp_for_each<MembersOf<T>>([&]<class Member>(Member) {
      properties[Member::name] = Codec<TypeOf<Member>>::schema();
      if (!kMayBeMissing<TypeOf<Member>>) required.emplace_back(Member::name);
    });
    base::json::object schema = {{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
  }

  static std::vector<std::string_view> names() {
    std::vector<std::string_view> names;
    boost::mp11::mp_for_each<MembersOf<T>>(
        [&]<class Member>(Member) { names.emplace_back(Member::name); });
    return names;
  }

 private:
  static base::Result<void> refuse_unknown(const base::json::object& object,
                                           const std::string& at) {
    const std::vector<std::string_view> known = names();
    for (const auto& member : object) {
      if (std::ranges::find(known, std::string_view(member.key())) != known.end()) continue;
      const std::string_view meant = base::nearest(std::string_view(member.key()), known);
      return base::fail_with_advice(
          base::Code::InvalidArgument,
          fmt::format("{}member {} is not known", at.empty() ? "" : at + ": ",
                      base::quote(std::string_view(member.key()))),
          meant.empty() ? fmt::format("Known here: {}", fmt::join(known, ", "))
                        : fmt::format("Did you mean '{}'?", meant));
    }
    return {};
  }
};

template <Described T>
base::json::value to_json(const T& document) {
  return Codec<T>::write(document);
}

// Errors: InvalidArgument, with the member.
template <Described T>
base::Result<T> from_json(const base::json::value& from, Unknown unknown) {
  return Codec<T>::read(from, "", unknown);
}

// JSON Schema (2020-12, as OpenAPI 3.1 uses it).
template <Described T>
base::json::object schema_of() {
  return Codec<T>::schema();
}

}  // namespace granary::api_wire

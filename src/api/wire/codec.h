// How documents become JSON, come back, and describe themselves: one codec for every struct that
// BOOST_DESCRIBE_STRUCT has described, so that what is written, read and said in the OpenAPI
// document cannot differ. Optional members, lists and maps may be missing; everything else must be
// there. Pure; any thread. Not for the store's or the agent's formats: they have their own.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <string>
#include <vector>

#include "api/wire/codec_values.h"
#include "base/text.h"

namespace granary::api_wire {

template <class T>
concept Described = boost::describe::has_describe_members<T>::value;

template <class T>
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public>;

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
    object.reserve(boost::mp11::mp_size<MembersOf<T>>::value);
    boost::mp11::mp_for_each<MembersOf<T>>([&]<class Member>(Member) {
      const auto& value = document.*Member::pointer;
      if constexpr (kIsOptional<TypeOf<Member>>) {
        if (!value) return;
      }
      object.emplace(Member::name, Codec<TypeOf<Member>>::write(value));
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

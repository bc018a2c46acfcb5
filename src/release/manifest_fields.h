// Reading one map of the manifest: which keys it may have, and values of the right type within
// their bounds, each refusal with its place and its fix. Internal to the parser of manifests;
// refers to the tree and the names it was given, which must outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "release/limits.h"
#include "release/yaml.h"

namespace granary::release {

// "a text", "a list", ... for messages.
std::string_view kind_name(const YamlNode& node);

// What a refusal needs to know of a value: where it is, and what it is called.
struct Place {
  std::string_view file;
  std::string name;  // "services.api.limits.memory"
  Mark mark;

  [[nodiscard]] base::Failure refuse(std::string_view message, std::string advice) const;
};

// One value.
class Field final {
 public:
  Field(const YamlNode& node, Place place) : node_(node), place_(std::move(place)) {}

  const YamlNode& node() const { return node_; }
  const Place& place() const { return place_; }

  // Any scalar as it is written; numbers too. `wanted` and `advice` are for the error.
  base::Result<std::string> text(
      std::string_view wanted = "a text",
      std::string_view advice = "Write a text; an empty one is \"\"") const;
  base::Result<std::uint64_t> whole(Range<std::uint64_t> range) const;
  base::Result<std::uint64_t> size(Range<std::uint64_t> range) const;
  base::Result<std::uint64_t> thousandths(Range<std::uint64_t> range) const;
  // `word`: another value that the caller takes, for the error ("never").
  base::Result<std::chrono::milliseconds> duration(Range<std::chrono::milliseconds> range,
                                                   std::string_view word = {}) const;
  base::Result<std::vector<Field>> list(std::size_t most) const;

 private:
  const YamlNode& node_;
  Place place_;
};

class Fields final {
 public:
  // Errors: not a map; a key twice; with `known`, a key that is not in it (and which one was
  // probably meant).
  static base::Result<Fields> of_known(const Field& field, std::span<const std::string_view> known);
  // Of a map whose keys are names that its author chose.
  static base::Result<Fields> of_any(const Field& field, std::size_t most);

  // Null where the key is missing. Valid as long as this object.
  const Field* find(std::string_view key) const;
  base::Result<const Field*> require(std::string_view key, std::string_view example) const;

  struct Member {
    std::string key;
    Mark key_mark;
    Field field;
  };
  const std::vector<Member>& members() const { return members_; }
  const Place& place() const { return place_; }

 private:
  explicit Fields(Place place) : place_(std::move(place)) {}
  static base::Result<Fields> read(const Field& field);

  Place place_;
  std::vector<Member> members_;
};

}  // namespace granary::release

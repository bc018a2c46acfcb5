// YAML as a tree of our own, in which everything knows its line and column. The only part of the
// house that meets yaml-cpp; its exceptions end here. Bounds hold before and while it reads:
// aliases are copied out, and counted, so that no document is larger than it looks; one that holds
// itself is refused. Pure; any thread. Not for YAML in general: one document, plain tags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace granary::release {

// Both count from 1; columns in bytes.
struct Mark {
  int line = 1;
  int column = 1;
  bool operator==(const Mark&) const = default;
};

struct YamlKey {
  std::string text;
  Mark mark;
};

struct YamlNode {
  enum class Kind { Null, Scalar, Sequence, Map };
  enum class Style { Plain, Quoted };

  Kind kind = Kind::Null;
  Mark mark;                    // where it is written; of an alias, where the alias is
  std::string text;             // of a scalar
  Style style = Style::Plain;   // of a scalar
  std::vector<YamlNode> items;  // of a sequence; of a map, the values
  std::vector<YamlKey> keys;    // of a map, one for each item
};

// Where an error lies, for people and editors: "granary.yaml:4:12: message".
[[nodiscard]] base::Failure refuse(std::string_view file, Mark mark, std::string_view message,
                                   std::string advice,
                                   base::Code code = base::Code::InvalidArgument);

// Errors: InvalidArgument, with file, line and column.
base::Result<YamlNode> parse_yaml(std::string_view text, std::string_view file);

}  // namespace granary::release

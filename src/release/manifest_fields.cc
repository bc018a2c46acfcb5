#include "release/manifest_fields.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "release/manifest_values.h"

namespace granary::release {
namespace {

using base::Failure;
using base::Result;

std::string child_name(const std::string& parent, std::string_view key) {
  const std::string shown =
      base::is_printable_utf8(key) && key.size() <= 60 ? std::string(key) : base::quote(key);
  return parent.empty() ? shown : parent + "." + shown;
}

std::string list_of(std::span<const std::string_view> names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

Failure wrong_type(const Field& field, std::string_view wanted, std::string advice) {
  return field.place().refuse(fmt::format("must be {}, not {}", wanted, kind_name(field.node())),
                              std::move(advice));
}

// The text of a scalar that is no quoted one: "64" in quotes is a text, 64 a number.
Result<std::string_view> number_text(const Field& field, std::string_view example) {
  const YamlNode& node = field.node();
  if (node.kind == YamlNode::Kind::Scalar && node.style == YamlNode::Style::Plain) {
    return std::string_view(node.text);
  }
  return wrong_type(field, "a number",
                    fmt::format("Write a number without quotes, such as {}", example));
}

Failure out_of_range(const Field& field, const std::string& least, const std::string& most,
                     std::string_view word = {}) {
  return field.place().refuse(
      fmt::format("is {}; it must lie between {} and {}", field.node().text, least, most),
      fmt::format("Write a value from {} to {}{}{}", least, most, word.empty() ? "" : ", or ",
                  word));
}

constexpr std::size_t kLongestShown = 200;

bool can_be_shown(const YamlNode& node) {
  return node.kind == YamlNode::Kind::Scalar && !is_blank(node.text) &&
         node.text.size() <= kLongestShown && base::is_printable_utf8(node.text);
}

// The list that somebody wrote as one text: [/api/, /hook].
std::string as_list(const YamlNode& node) {
  if (!can_be_shown(node)) return "[one, two]";
  std::string words = node.text;
  std::ranges::replace(words, ',', ' ');
  return is_blank(words) ? "[one, two]" : list_of_words(words);
}

}  // namespace

std::string_view kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::Null:
      return "empty";
    case YamlNode::Kind::Scalar:
      return node.style == YamlNode::Style::Quoted ? "a quoted text" : "a text";
    case YamlNode::Kind::Sequence:
      return "a list";
    case YamlNode::Kind::Map:
      return "a map";
  }
  return "unknown";
}

Failure Place::refuse(std::string_view message, std::string advice) const {
  const std::string what = name.empty() ? "the manifest" : name;
  return release::refuse(file, mark, fmt::format("{} {}", what, message), std::move(advice));
}

Result<std::string> Field::text(std::string_view wanted, std::string_view advice) const {
  if (node_.kind == YamlNode::Kind::Scalar) return node_.text;
  const bool single = node_.kind == YamlNode::Kind::Sequence && node_.items.size() == 1 &&
                      can_be_shown(node_.items.front());
  return wrong_type(*this, wanted,
                    single ? fmt::format("Write it without brackets: {}", node_.items.front().text)
                           : std::string(advice));
}

Result<std::uint64_t> Field::whole(Range<std::uint64_t> range) const {
  const std::string least = std::to_string(range.least);
  TRY_ASSIGN(const std::string_view text, number_text(*this, least));
  const auto value = parse_whole(text);
  if (!value) {
    return place_.refuse(fmt::format("must be a whole number, not {}", base::quote(text)),
                         fmt::format("Write digits alone, such as {}", least));
  }
  if (*value < range.least || *value > range.most)
    return out_of_range(*this, least, std::to_string(range.most));
  return *value;
}

Result<std::uint64_t> Field::size(Range<std::uint64_t> range) const {
  const std::string_view advice = "Write a whole number and Ki, Mi, Gi or Ti, such as 128Mi";
  TRY_ASSIGN(const std::string written, text("a size", advice));
  const auto value = parse_size(written);
  if (!value) {
    return place_.refuse(fmt::format("must be a size, not {}", base::quote(written)),
                         std::string(advice));
  }
  if (*value < range.least || *value > range.most)
    return out_of_range(*this, print_size(range.least), print_size(range.most));
  return *value;
}

Result<std::uint64_t> Field::thousandths(Range<std::uint64_t> range) const {
  TRY_ASSIGN(const std::string_view text, number_text(*this, "0.5"));
  const auto value = parse_thousandths(text);
  if (!value) {
    return place_.refuse(fmt::format("must be a number, not {}", base::quote(text)),
                         "Write a number with at most three digits after the point, such as 0.5");
  }
  if (*value < range.least || *value > range.most)
    return out_of_range(*this, print_thousandths(range.least), print_thousandths(range.most));
  return *value;
}

Result<std::chrono::milliseconds> Field::duration(Range<std::chrono::milliseconds> range,
                                                  std::string_view word) const {
  const std::string wanted = word.empty() ? "a time" : fmt::format("a time or {}", word);
  const std::string advice =
      fmt::format("Write {}{}a whole number and ms, s, m, h or d, such as 60s", word,
                  word.empty() ? "" : ", or ");
  TRY_ASSIGN(const std::string written, text(wanted, advice));
  const auto value = parse_duration(written);
  if (!value)
    return place_.refuse(fmt::format("must be {}, not {}", wanted, base::quote(written)), advice);
  if (*value < range.least || *value > range.most)
    return out_of_range(*this, print_duration(range.least), print_duration(range.most), word);
  return *value;
}

Result<std::vector<Field>> Field::list(std::size_t most) const {
  if (node_.kind != YamlNode::Kind::Sequence)
    return wrong_type(*this, "a list", "Write it in brackets: " + as_list(node_));
  if (node_.items.size() > most) {
    return place_.refuse(fmt::format("has {} items, more than {}", node_.items.size(), most),
                         "Use fewer");
  }
  std::vector<Field> fields;
  fields.reserve(node_.items.size());
  for (std::size_t i = 0; i < node_.items.size(); ++i) {
    const YamlNode& item = node_.items[i];
    fields.emplace_back(item, Place{place_.file, fmt::format("{}[{}]", place_.name, i), item.mark});
  }
  return fields;
}

Result<Fields> Fields::read(const Field& field) {
  const YamlNode& node = field.node();
  if (node.kind != YamlNode::Kind::Map)
    return wrong_type(field, "a map", "Write `key: value` lines below it, or {key: value}");
  Fields fields(field.place());
  fields.members_.reserve(node.keys.size());
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const YamlKey& key = node.keys[i];
    const std::string name = child_name(fields.place_.name, key.text);
    if (!seen.insert(key.text).second) {
      return Place{fields.place_.file, name, key.mark}.refuse("is written twice",
                                                              "Remove one of the two");
    }
    fields.members_.push_back(
        {key.text, key.mark,
         Field(node.items[i], Place{fields.place_.file, name, node.items[i].mark})});
  }
  return fields;
}

Result<Fields> Fields::of_known(const Field& field, std::span<const std::string_view> known) {
  TRY_ASSIGN(Fields fields, read(field));
  for (const Member& member : fields.members_) {
    if (std::ranges::find(known, member.key) != known.end()) continue;
    const std::string_view meant = base::nearest(member.key, known);
    Place place = member.field.place();
    place.mark = member.key_mark;
    return place.refuse("is not a known key", meant.empty()
                                                  ? fmt::format("Known here: {}", list_of(known))
                                                  : fmt::format("Did you mean {}?", meant));
  }
  return fields;
}

Result<Fields> Fields::of_any(const Field& field, std::size_t most) {
  TRY_ASSIGN(Fields fields, read(field));
  if (fields.members_.size() > most) {
    return fields.place_.refuse(
        fmt::format("has {} members, more than {}", fields.members_.size(), most), "Use fewer");
  }
  return fields;
}

const Field* Fields::find(std::string_view key) const {
  const auto found = std::ranges::find(members_, key, &Member::key);
  return found == members_.end() ? nullptr : &found->field;
}

Result<const Field*> Fields::require(std::string_view key, std::string_view example) const {
  if (const Field* field = find(key)) return field;
  return place_.refuse(fmt::format("lacks the key {}", key), fmt::format("Add `{}`", example));
}

}  // namespace granary::release

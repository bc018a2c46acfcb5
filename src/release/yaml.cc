#include "release/yaml.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "base/check.h"
#include "base/text.h"
#include "release/limits.h"

namespace granary::release {
namespace {

using base::Result;

Mark to_mark(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

std::size_t count(const YamlNode& node) {
  std::size_t nodes = 1;
  for (const YamlNode& item : node.items) nodes += count(item);
  return nodes;
}

std::size_t depth(const YamlNode& node) {
  std::size_t deepest = 0;
  for (const YamlNode& item : node.items) deepest = std::max(deepest, depth(item));
  return deepest + 1;
}

// Builds the tree from yaml-cpp's events. It cannot stop the parser, so after the first error it
// takes no more notice.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view file) : file_(file) {}

  Result<YamlNode> take() {
    if (error_) return std::unexpected(*error_);
    return std::move(root_);
  }
  bool failed() const { return error_.has_value(); }
  std::size_t documents() const { return documents_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ < 2) return;
    stop(to_mark(mark), "a second document begins here",
         "Keep one manifest in the file; remove the line with ---");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    begin(YamlNode::Kind::Null, mark, "", anchor);
    end();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!begin(YamlNode::Kind::Scalar, mark, tag, anchor)) return;
    YamlNode& node = open_.back().node;
    // yaml-cpp gives quoted scalars the tag !, plain ones the tag ?.
    node.style = tag == "!" ? YamlNode::Style::Quoted : YamlNode::Style::Plain;
    node.text = value;
    if (node.text.find('\0') != std::string::npos || !base::is_utf8(node.text))
      return stop(node.mark, "this text holds a NUL or is not UTF-8", "Remove the escape");
    end();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    begin(YamlNode::Kind::Sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    begin(YamlNode::Kind::Map, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failed()) return;
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      return stop(to_mark(mark), "this alias refers to something that holds it",
                  "Write out what is meant: a manifest cannot hold itself");
    }
    YamlNode copy = known->second;
    copy.mark = to_mark(mark);
    nodes_ += count(copy);
    if (nodes_ > kMaxManifestNodes || open_.size() + depth(copy) > kMaxManifestDepth)
      return stop(copy.mark, too_large(), "Use fewer aliases");
    attach(std::move(copy));
  }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<YamlKey> key;  // of a map: read, and waiting for its value
  };

  static std::string too_large() {
    return fmt::format("the manifest has more than {} values, or is nested more than {} deep",
                       kMaxManifestNodes, kMaxManifestDepth);
  }

  void stop(Mark mark, std::string_view message, std::string advice) {
    if (!error_) error_ = refuse(file_, mark, message, std::move(advice)).error();
  }

  // False when nothing was begun.
  bool begin(YamlNode::Kind kind, const YAML::Mark& at, const std::string& tag,
             YAML::anchor_t anchor) {
    if (failed()) return false;
    const Mark mark = to_mark(at);
    if (++nodes_ > kMaxManifestNodes || open_.size() >= kMaxManifestDepth) {
      stop(mark, too_large(), "Make it simpler");
      return false;
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      stop(mark, fmt::format("the tag {} is not supported", base::quote(tag)), "Remove the tag");
      return false;
    }
    YamlNode node;
    node.kind = kind;
    node.mark = mark;
    open_.push_back({std::move(node), anchor, std::nullopt});
    return true;
  }

  void end() {
    if (failed()) return;
    INVARIANT(!open_.empty());
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != YAML::NullAnchor) anchors_[done.anchor] = done.node;
    attach(std::move(done.node));
  }

  void attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::Sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key) {
      // A value that is not there lies, for yaml-cpp, wherever the next thing begins.
      if (node.kind == YamlNode::Kind::Null) node.mark = parent.key->mark;
      parent.node.keys.push_back(std::move(*parent.key));
      parent.node.items.push_back(std::move(node));
      parent.key.reset();
    } else if (node.kind == YamlNode::Kind::Scalar) {
      parent.key = YamlKey{std::move(node.text), node.mark};
    } else {
      stop(node.mark, "a key must be a plain text", "Write it as `key: value`");
    }
  }

  std::string_view file_;
  YamlNode root_;
  std::vector<Open> open_;                      // from the root down
  std::map<YAML::anchor_t, YamlNode> anchors_;  // those that are complete
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
  std::optional<base::Error> error_;
};

// What is wrong with the bytes, before anything reads them as YAML.
Result<void> check_bytes(std::string_view text, std::string_view file) {
  if (text.size() > kMaxManifestBytes) {
    return refuse(file, {},
                  fmt::format("the manifest is longer than {} KiB", kMaxManifestBytes >> 10),
                  "Keep data and configuration in files of the app");
  }
  Mark mark;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    if (control) {
      return refuse(file, mark, fmt::format("byte 0x{:02x} does not belong into a text", c),
                    "The manifest is a text file in UTF-8; is this one binary or UTF-16?");
    }
    mark = c == '\n' ? Mark{mark.line + 1, 1} : Mark{mark.line, mark.column + 1};
  }
  if (!base::is_utf8(text))
    return refuse(file, {}, "the manifest is not UTF-8", "Save it as UTF-8");
  return {};
}

// yaml-cpp recurses with what it reads, so nesting is bounded before it starts. Brackets in texts
// and comments count as well: no manifest comes near the bound. Nesting by indentation costs a
// line of growing length for each level, and `- - -` and `? ? ?` are counted here too.
Result<void> check_nesting(std::string_view text, std::string_view file) {
  constexpr std::size_t kMost = 200;  // well above kMaxManifestDepth, well below any stack
  std::size_t brackets = 0;
  std::size_t leading = 0;
  Mark mark;
  bool indented = true;  // nothing but spaces, dashes and question marks since the line began
  for (const char c : text) {
    if (c == '[' || c == '{') ++brackets;
    if ((c == ']' || c == '}') && brackets > 0) --brackets;
    if (c == '\n') {
      leading = 0;
      indented = true;
    } else if (indented) {
      indented = c == ' ' || c == '-' || c == '?' || c == ':' || c == '\t';
      ++leading;
    }
    if (brackets > kMost || leading > 2 * kMost)
      return refuse(file, mark, "the manifest is nested too deep", "Make it simpler");
    mark = c == '\n' ? Mark{mark.line + 1, 1} : Mark{mark.line, mark.column + 1};
  }
  return {};
}

// Where a tab stands among the blanks that a line begins with, in a text that is no YAML from `at`
// on. Elsewhere tabs are fine, and so are they in texts of several lines.
std::optional<Mark> indenting_tab(std::string_view text, const YAML::Mark& at) {
  std::optional<Mark> found;
  Mark mark;
  bool leading = true;
  for (const char c : text) {
    if (!at.is_null() && mark.line > to_mark(at).line) break;
    if (leading && c == '\t') found = mark;
    leading = c == '\n' || (leading && (c == ' ' || c == '\t'));
    mark = c == '\n' ? Mark{mark.line + 1, 1} : Mark{mark.line, mark.column + 1};
  }
  return found;
}

}  // namespace

base::Failure refuse(std::string_view file, Mark mark, std::string_view message, std::string advice,
                     base::Code code) {
  return base::fail_with_advice(
      code, fmt::format("{}:{}:{}: {}", file, mark.line, mark.column, message), std::move(advice));
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view file) {
  TRY(check_bytes(text, file));
  TRY(check_nesting(text, file));
  Builder builder(file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (!builder.failed() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    if (builder.failed()) return builder.take();
    if (const auto tab = indenting_tab(text, error.mark))
      return refuse(file, *tab, "tabs are not allowed for indentation", "Use spaces");
    return refuse(file, to_mark(error.mark), "this is not valid YAML: " + error.msg,
                  "Check indentation, quotes and brackets at this place");
  }
  if (!builder.failed() && builder.documents() == 0)
    return refuse(file, {}, "the manifest is empty", "Begin with `app: NAME` and `services:`");
  return builder.take();
}

}  // namespace granary::release

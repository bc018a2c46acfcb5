#include "wire/bundle_ignore.h"

#include <array>
#include <ranges>

#include "base/text.h"
#include "wire/bundle_limits.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

// What version control, interpreters and editors leave behind. Dependencies are not among them:
// nothing installs them anew where the release runs.
constexpr std::array<std::string_view, 10> kDefaults = {
    ".git",        ".hg",         ".svn",      "__pycache__", "*.pyc",
    ".mypy_cache", ".ruff_cache", ".DS_Store", kIgnoreFile,   ".pytest_cache"};

std::string_view trim(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
    line.remove_suffix(1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

}  // namespace

bool glob_matches(std::string_view glob, std::string_view text) {
  // Only the last * needs to be tried again: an earlier one that took more would leave less.
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (in < text.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      star_text = in;
    } else if (at < glob.size() && ((glob[at] == '?' && text[in] != '/') || glob[at] == text[in])) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos && text[star_text] != '/') {
      at = star + 1;
      in = ++star_text;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

IgnoreRules IgnoreRules::defaults() {
  IgnoreRules rules;
  for (const std::string_view line : kDefaults) rules.patterns_.push_back(parse(line));
  return rules;
}

IgnoreRules::Pattern IgnoreRules::parse(std::string_view line) {
  Pattern pattern;
  pattern.rule.text = line;
  if (line.starts_with('!')) {
    pattern.effect = Effect::Take;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    pattern.kind = Pattern::Kind::Folders;
    line.remove_suffix(1);
  }
  if (line.find('/') != std::string_view::npos) pattern.applies = Pattern::Applies::FromRoot;
  if (line.starts_with('/')) line.remove_prefix(1);
  pattern.glob = line;
  return pattern;
}

Result<void> IgnoreRules::add(std::string_view text, std::string_view file_name) {
  if (text.size() > kMaxIgnoreBytes)
    return base::fail(Code::Exhausted, "{} is longer than {} bytes", file_name, kMaxIgnoreBytes);
  std::size_t number = 0;
  for (const auto part : std::views::split(text, '\n')) {
    ++number;
    const std::string_view line = trim(std::string_view(part.begin(), part.end()));
    if (line.empty() || line.starts_with('#')) continue;
    if (line.find("**") != std::string_view::npos || line.find('[') != std::string_view::npos ||
        line.find('\\') != std::string_view::npos || !base::is_utf8(line)) {
      return base::fail_with_advice(
          Code::InvalidArgument,
          fmt::format("{}:{}: the pattern {} is not supported", file_name, number,
                      base::quote(line)),
          "Use * and ? within a name; a pattern without a slash matches at any depth");
    }
    Pattern pattern = parse(line);
    if (pattern.glob.empty()) {
      return base::fail(Code::InvalidArgument, "{}:{}: the pattern {} matches nothing", file_name,
                        number, base::quote(line));
    }
    if (patterns_.size() == kMaxIgnorePatterns) {
      return base::fail(Code::Exhausted, "{}:{}: more than {} patterns", file_name, number,
                        kMaxIgnorePatterns);
    }
    pattern.rule.line = number;
    patterns_.push_back(std::move(pattern));
  }
  return {};
}

IgnoreRules::Verdict IgnoreRules::judge(std::string_view path, base::os::EntryKind kind) const {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  for (const Pattern& pattern : std::views::reverse(patterns_)) {
    if (pattern.kind == Pattern::Kind::Folders && kind != base::os::EntryKind::Folder) continue;
    const bool anchored = pattern.applies == Pattern::Applies::FromRoot;
    if (glob_matches(pattern.glob, anchored ? path : name)) return {pattern.effect, &pattern.rule};
  }
  return {};
}

}  // namespace granary::wire

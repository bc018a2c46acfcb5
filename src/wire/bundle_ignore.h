// Which entries of an app's folder are left out of its bundle by their names: a short default list,
// and what .granaryignore at the folder's root adds or takes back. Used by whoever packs; a bundle
// that is packed again from its own files ignores nothing. Value type.
//
// A line of .granaryignore is a pattern as in .gitignore: * and ? match within a name, a slash at
// the end means folders alone, a slash elsewhere ties it to the root, ! takes a match back, # is
// a comment. The last match decides. What lies in an ignored folder is never looked at. ** and
// [sets] are not supported, and refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/os/folder.h"
#include "base/result.h"

namespace granary::wire {

inline constexpr std::string_view kIgnoreFile = ".granaryignore";

class IgnoreRules final {
 public:
  static IgnoreRules nothing() { return {}; }
  // .git .hg .svn __pycache__ *.pyc .pytest_cache .mypy_cache .ruff_cache .DS_Store .granaryignore
  static IgnoreRules defaults();

  // The lines of a .granaryignore. Errors: InvalidArgument, as "file:line: ..."; Exhausted.
  base::Result<void> add(std::string_view text, std::string_view file_name);

  // A pattern as it was written, and where.
  struct Rule {
    std::string text;
    std::size_t line = 0;  // of the ignore file; 0: a default
  };
  enum class Effect { None, Leave, Take };
  struct Verdict {
    Effect effect = Effect::None;
    const Rule* rule = nullptr;  // the one that decided; valid as long as these rules
  };
  Verdict judge(std::string_view path, base::os::EntryKind kind) const;
  bool ignores(std::string_view path, base::os::EntryKind kind) const {
    return judge(path, kind).effect == Effect::Leave;
  }

 private:
  struct Pattern {
    std::string glob;
    enum class Applies { Everywhere, FromRoot } applies = Applies::Everywhere;
    enum class Kind { Any, Folders } kind = Kind::Any;
    Effect effect = Effect::Leave;
    Rule rule;
  };
  static Pattern parse(std::string_view line);

  std::vector<Pattern> patterns_;
};

// Whether `glob` (* and ?, neither matching a slash) matches the whole of `text`. In the worst
// case as many steps as the product of their lengths.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace granary::wire

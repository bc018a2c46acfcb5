#include "wire/bundle_filter.h"

#include "base/os/file.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;
using base::os::Folder;

// A folder with this file in it is a virtual environment of Python, whatever its name. Its programs
// name the place where it was made, and its interpreter is a link out of the folder.
constexpr const char* kVenvMark = "pyvenv.cfg";
constexpr const char* kVenvRule = "Python virtual environment";

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<bool> is_venv(const Folder& parent, const BundleEntry& entry) {
  if (entry.kind != EntryKind::Folder) return false;
  const auto folder = parent.open_folder(name_of(entry.path));
  if (!folder) return false;  // the walk says why
  const auto mark = folder->status(kVenvMark);
  if (mark) return mark->kind == EntryKind::File;
  if (mark.error().code == Code::NotFound) return false;
  return std::unexpected(mark.error());
}

// How the entries of a rule get into the release after all.
std::string way_in(const IgnoreRules::Rule& rule) {
  if (rule.text == kVenvRule)
    return "it works only where it was made: install packages with pip install --target vendor, "
           "and set PYTHONPATH to /app/vendor";
  if (rule.line > 0) return fmt::format("{}:{}", kIgnoreFile, rule.line);
  return fmt::format("to keep it, write !{} into {}", rule.text, kIgnoreFile);
}

}  // namespace

Result<AppFilter> AppFilter::open(const Folder& root, const std::vector<std::string>& include) {
  IgnoreRules rules = IgnoreRules::defaults();
  auto file = root.open_file(std::string(kIgnoreFile));
  if (!file && file.error().code != Code::NotFound) return std::unexpected(file.error());
  if (file) {
    TRY_ASSIGN(const std::string text, base::os::read_at(file->fd.get(), 0, kMaxIgnoreBytes + 1));
    TRY(rules.add(text, kIgnoreFile));
  }
  return AppFilter(std::move(rules), include);
}

Result<bool> AppFilter::leaves_out(const Folder& parent, const BundleEntry& entry) {
  const IgnoreRules::Verdict verdict = rules_.judge(entry.path, entry.kind);
  if (verdict.effect == IgnoreRules::Effect::Take) {
    // One that is named by its author is wanted, though it looks like a secret.
    if (entry.kind == EntryKind::File) secrets_.ask_for(entry.path);
    return false;
  }
  if (verdict.effect == IgnoreRules::Effect::Leave) {
    count(entry, *verdict.rule);
    return true;
  }
  TRY_ASSIGN(const bool venv, is_venv(parent, entry));
  if (venv) count(entry, {.text = kVenvRule, .line = 0});
  return venv;
}

Result<void> AppFilter::look(const BundleEntry& entry, int content) {
  return secrets_.look(entry, content);
}

void AppFilter::count(const BundleEntry& entry, const IgnoreRules::Rule& rule) {
  if (rule.text == kIgnoreFile && rule.line == 0) return;  // nobody misses it
  LeftOut& left_out = left_out_[{rule.line, rule.text}];
  if (left_out.rule.empty()) {
    left_out.rule = rule.text;
    left_out.note = way_in(rule);
    left_out.example = entry.path;
  }
  (entry.kind == EntryKind::Folder ? left_out.folders : left_out.files) += 1;
}

Result<std::vector<LeftOut>> AppFilter::finish() const {
  TRY(secrets_.verdict());
  std::vector<LeftOut> list;
  for (const auto& [key, left_out] : left_out_) list.push_back(left_out);
  return list;
}

}  // namespace granary::wire

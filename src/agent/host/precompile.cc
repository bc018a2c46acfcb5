#include "agent/host/precompile.h"

#include <filesystem>

#include "agent/limits.h"
#include "base/os/file.h"
#include "base/os/process.h"

namespace granary::agent {

using base::Result;

namespace {

constexpr const char* kPython = "/usr/bin/python3";

bool has_python(const std::string& folder) {
  std::error_code error;
  auto entry = std::filesystem::recursive_directory_iterator(folder, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() == ".py") return true;
  }
  return false;
}

}  // namespace

Result<void> precompile_python(const std::string& folder, const std::string& bwrap) {
  if (!base::os::exists(kPython) || !has_python(folder)) return {};
  std::vector<std::string> argv = {bwrap, "--unshare-all", "--new-session", "--clearenv"};
  const auto add = [&argv](std::initializer_list<std::string> more) {
    argv.insert(argv.end(), more.begin(), more.end());
  };
  add({"--cap-drop", "ALL", "--ro-bind", "/usr", "/usr", "--bind", folder, "/app"});
  add({"--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"});
  add({"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--remount-ro", "/"});
  // unchecked-hash: valid whatever the time stamps say; a release never changes.
  add({"--", kPython, "-I", "-m", "compileall", "-q"});
  add({"--invalidation-mode", "unchecked-hash", "/app"});
  TRY_ASSIGN(const base::os::ProgramEnd end, base::os::run_program(argv, kPrecompileDeadline));
  // compileall ends with 1 where a module does not compile; the sandbox fails before it begins.
  if (end.exit_code == 0 || !end.output.starts_with("bwrap:")) return {};
  return base::fail(base::Code::Internal, "{}", end.output.substr(0, end.output.find('\n')));
}

}  // namespace granary::agent

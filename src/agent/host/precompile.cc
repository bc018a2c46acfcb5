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
  // unchecked-hash: valid whatever the time stamps say; a release never changes.
  TRY_ASSIGN(const base::os::ProgramEnd end, base::os::run_program({bwrap,
                                                                    "--unshare-all",
                                                                    "--cap-drop",
                                                                    "ALL",
                                                                    "--new-session",
                                                                    "--clearenv",
                                                                    "--ro-bind",
                                                                    "/usr",
                                                                    "/usr",
                                                                    "--symlink",
                                                                    "usr/lib",
                                                                    "/lib",
                                                                    "--symlink",
                                                                    "usr/lib64",
                                                                    "/lib64",
                                                                    "--bind",
                                                                    folder,
                                                                    "/app",
                                                                    "--proc",
                                                                    "/proc",
                                                                    "--dev",
                                                                    "/dev",
                                                                    "--tmpfs",
                                                                    "/tmp",
                                                                    "--remount-ro",
                                                                    "/",
                                                                    "--chdir",
                                                                    "/",
                                                                    "--",
                                                                    kPython,
                                                                    "-I",
                                                                    "-m",
                                                                    "compileall",
                                                                    "-q",
                                                                    "--invalidation-mode",
                                                                    "unchecked-hash",
                                                                    "/app"},
                                                                   kPrecompileDeadline));
  // compileall ends with 1 where a module does not compile; the sandbox fails before it begins.
  if (end.exit_code == 0 || !end.output.starts_with("bwrap:")) return {};
  return base::fail(base::Code::Internal, "{}", end.output.substr(0, end.output.find('\n')));
}

}  // namespace granary::agent

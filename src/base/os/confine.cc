#include "base/os/confine.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// Newer than the headers of Debian 12 (landlock ABI 3).
constexpr std::uint64_t kTruncate = 1ULL << 14;
// From this one on files can be renamed from folder to folder.
constexpr int kFirstUsable = 2;
constexpr std::size_t kLargestFilter = 1U << 20;

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |
                                 LANDLOCK_ACCESS_FS_REFER | kTruncate;
constexpr std::uint64_t kNever = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                 LANDLOCK_ACCESS_FS_MAKE_BLOCK;
// What makes sense for a file that is no folder; the kernel refuses the rest.
constexpr std::uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;

std::uint64_t known_to(long abi) { return abi >= 3 ? ~0ULL : ~kTruncate; }

Result<void> allow(int ruleset, const AllowedPath& allowed, std::uint64_t known) {
  const auto file = open_file(allowed.path, O_PATH, 0);
  if (!file && file.error().code == Code::NotFound) return {};
  if (!file) return std::unexpected(file.error());
  struct stat status{};
  TRY(checked("fstat", allowed.path, [&] { return ::fstat(file->get(), &status); }));
  landlock_path_beneath_attr rule{};
  rule.allowed_access = allowed.access == Access::ReadWrite ? kRead | kWrite : kRead;
  rule.allowed_access &= S_ISDIR(status.st_mode) ? known : known & kOfFiles;
  rule.parent_fd = file->get();
  TRY(checked("landlock_add_rule", allowed.path, [&] {
    return ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  }));
  return {};
}

}  // namespace

Result<void> confine_files(const std::vector<AllowedPath>& allowed) {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < kFirstUsable)
    return fail_with_advice(Code::NotSupported,
                            "this kernel has no landlock to confine a role with",
                            "Use Linux 5.19 or later, with landlock among the lsm= of its boot");
  const std::uint64_t known = known_to(abi);
  landlock_ruleset_attr all{};
  all.handled_access_fs = (kRead | kWrite | kNever) & known;
  TRY_ASSIGN(const long number, checked("landlock_create_ruleset", "", [&] {
               return ::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
             }));
  const Fd ruleset(static_cast<int>(number));
  for (const AllowedPath& path : allowed) TRY(allow(ruleset.get(), path, known));
  TRY(checked("prctl", "no_new_privs", [] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }));
  TRY(checked("landlock_restrict_self", "",
              [&] { return ::syscall(SYS_landlock_restrict_self, ruleset.get(), 0); }));
  return {};
}

Result<void> confine_calls(const Fd& filter) {
  TRY_ASSIGN(std::string text, read_at(filter.get(), 0, kLargestFilter));
  if (text.empty() || text.size() % sizeof(sock_filter) != 0)
    return fail(Code::Internal, "the seccomp filter has {} bytes", text.size());
  std::vector<sock_filter> program(text.size() / sizeof(sock_filter));
  std::memcpy(program.data(), text.data(), text.size());
  sock_fprog described{static_cast<unsigned short>(program.size()), program.data()};
  TRY(checked("prctl", "no_new_privs", [] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }));
  TRY(checked("seccomp", "set filter",
              [&] { return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &described); }));
  return {};
}

}  // namespace granary::base::os

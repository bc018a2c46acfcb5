#include "agent/host/seccomp_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <memory>

#include "agent/host/seccomp_calls.h"
#include "agent/host/seccomp_new_calls.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::agent {
namespace {

using base::Result;

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

// Flags of clone(2) that would make a namespace.
constexpr std::uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;
constexpr std::size_t kLargestProgram = BPF_MAXINSNS * sizeof(sock_filter);
constexpr int kSocketFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
// What personality(2) may be set to: Linux, or a question what it is (Docker's list, x86-64).
constexpr std::uint64_t kPersonalities[] = {PER_LINUX, 0xffffffff};

Result<void> wanted(int error, const char* what) {
  if (error == 0) return {};
  return std::unexpected(base::os::from_errno(-error, "seccomp", what));
}

Result<void> allow(const Filter& filter, const char* name) {
  const int call = ::seccomp_syscall_resolve_name(name);
  if (call == __NR_SCMP_ERROR || call < 0) return {};  // not of this machine
  return wanted(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0), name);
}

// ioctl(2) but for the requests of network devices, wired and wireless (0x89.., 0x8b..): they act
// on the network that the socket was made in, and a silo's listener was not made in its own. There
// is no rule for "not these", so: any request that differs from them in one bit at least; and those
// few of 0x89 that are about the socket itself.
constexpr std::uint64_t kDeviceRequests = 0x8900;
constexpr std::uint64_t kDeviceMask = 0xfffffd00;  // the kernel looks at 32 bits
constexpr std::uint64_t kSocketRequests[] = {FIOSETOWN, SIOCSPGRP,  FIOGETOWN,
                                             SIOCGPGRP, SIOCATMARK, 0x8906 /* SIOCGSTAMP */};

Result<void> allow_requests(scmp_filter_ctx context) {
  const auto allow_if = [context](std::uint64_t mask, std::uint64_t value) {
    return wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                     SCMP_A1(SCMP_CMP_MASKED_EQ, mask, value)),
                  "ioctl");
  };
  for (std::uint64_t bit = 1; bit <= kDeviceMask; bit <<= 1) {
    if ((kDeviceMask & bit) != 0) TRY(allow_if(bit, ~kDeviceRequests & bit));
  }
  for (const std::uint64_t request : kSocketRequests) TRY(allow_if(0xffffffff, request));
  return {};
}

// fcntl(2) but for F_NOTIFY, the older inotify: any command that differs from it in a bit.
// (SCMP_CMP_NE would compare 64 bits, of which the kernel looks at 32.)
Result<void> allow_commands(scmp_filter_ctx context) {
  for (std::uint64_t bit = 1; bit <= 0x80000000ULL; bit <<= 1)
    TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, bit, ~std::uint64_t{F_NOTIFY} & bit)),
               "fcntl"));
  return {};
}

// setrlimit(2) and prlimit(2) but for changes of the limit of core files: lowered to 0, a crash
// would start the host's handler (base/os/contained_child.cc). EINVAL, as from a kernel without
// this limit: programs that turn their cores off by it take that for an answer (GnuPG).
Result<void> allow_limits(scmp_filter_ctx context) {
  constexpr std::uint64_t kAll = 0xffffffff;  // of the resource the kernel looks at 32 bits
  for (std::uint64_t bit = 1; bit <= 0x80000000ULL; bit <<= 1) {
    const std::uint64_t other = ~std::uint64_t{RLIMIT_CORE} & bit;
    TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(setrlimit), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, bit, other)),
               "setrlimit"));
    TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, bit, other)),
               "prlimit64"));
  }
  TRY(wanted(
      ::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                         SCMP_A1(SCMP_CMP_MASKED_EQ, kAll, RLIMIT_CORE), SCMP_A2(SCMP_CMP_EQ, 0)),
      "prlimit64"));
  TRY(wanted(
      ::seccomp_rule_add(context, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prlimit64), 2,
                         SCMP_A1(SCMP_CMP_MASKED_EQ, kAll, RLIMIT_CORE), SCMP_A2(SCMP_CMP_NE, 0)),
      "prlimit64"));
  return wanted(::seccomp_rule_add(context, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(setrlimit), 1,
                                   SCMP_A0(SCMP_CMP_MASKED_EQ, kAll, RLIMIT_CORE)),
                "setrlimit");
}

Result<void> add_rules_on_arguments(const Filter& filter) {
  scmp_filter_ctx context = filter.get();
  TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, kNamespaceFlags, 0)),
             "clone"));
  // Its flags lie in memory, where no filter can look. Without it libraries use clone.
  TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3"));
  for (const int family : kSocketFamilies) {
    TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))),
               "socket"));
  }
  TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
                                SCMP_A0(SCMP_CMP_EQ, AF_UNIX)),
             "socketpair"));
  TRY(allow_requests(context));
  TRY(allow_commands(context));
  TRY(allow_limits(context));
  for (const std::uint64_t kind : kPersonalities) {
    TRY(wanted(::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
                                  SCMP_A0(SCMP_CMP_EQ, kind)),
               "personality"));
  }
  return {};
}

}  // namespace

Result<base::os::Fd> compile_seccomp_filter() {
  const Filter filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return base::fail(base::Code::NotSupported, "libseccomp cannot make a filter");
  // Calls of another architecture (32-bit ones) kill the process: nothing honest makes them.
  TRY(wanted(::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
             "architecture"));
  // A binary tree instead of a list: few comparisons for each call.
  TRY(wanted(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize"));
  for (const char* name : kAllowedCalls) TRY(allow(filter, name));
  TRY(add_rules_on_arguments(filter));
  TRY_ASSIGN(const base::os::Fd compiled, base::os::memory_file("seccomp", ""));
  TRY(wanted(::seccomp_export_bpf(filter.get(), compiled.get()), "export"));
  TRY_ASSIGN(const std::string rest, base::os::read_at(compiled.get(), 0, kLargestProgram));
  const std::vector<sock_filter> first = new_calls_prologue(::seccomp_arch_native());
  const std::string_view prologue(reinterpret_cast<const char*>(first.data()),
                                  first.size() * sizeof(sock_filter));
  return base::os::memory_file("seccomp", std::string(prologue) + rest);
}

Result<base::os::Fd> reopen(const base::os::Fd& memory) {
  return base::os::open_file(fmt::format("/proc/self/fd/{}", memory.get()), O_RDONLY, 0);
}

}  // namespace granary::agent

// Calls that reach into the kernel, each with arguments that could do no harm to whoever has the
// right: a wrong magic number, an invalid time, a module of nothing.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/quota.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "the kernel";
constexpr const char* kNothing = "/granary-attack-none";

Answer load_bpf() {
  bpf_insn program[2] = {};
  program[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  program[1].code = BPF_JMP | BPF_EXIT;
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insn_cnt = 2;
  attributes.insns = reinterpret_cast<std::uintptr_t>(program);
  attributes.license = reinterpret_cast<std::uintptr_t>("GPL");
  return judge_privileged("bpf", ::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
}

Answer map_bpf() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 8;
  attributes.max_entries = 1;
  return judge_privileged("bpf",
                          ::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

Answer count_events(int pid, int core) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.exclude_kernel = 1;
  return judge_privileged("perf_event_open",
                          ::syscall(SYS_perf_event_open, &attributes, pid, core, -1, 0));
}

Answer set_up_ring() {
  io_uring_params parameters{};
  return judge_privileged("io_uring_setup", ::syscall(SYS_io_uring_setup, 1, &parameters));
}

Answer add_key() {
  const long key =
      ::syscall(SYS_add_key, "user", "granary-attack", "x", 1, KEY_SPEC_PROCESS_KEYRING);
  return judge_privileged("add_key", key);
}

Answer set_clock() {
  const timespec never{0, -1};
  return judge_privileged("clock_settime", ::syscall(SYS_clock_settime, CLOCK_REALTIME, &never));
}

Answer set_day() {
  const timeval never{0, -1};
  return judge_privileged("settimeofday", ::syscall(SYS_settimeofday, &never, nullptr));
}

Answer adjust_clock() {
  timex impossible{};
  impossible.modes = ADJ_TICK;  // of 0 microseconds
  return judge_privileged("adjtimex", ::syscall(SYS_adjtimex, &impossible));
}

// Longer than any name may be.
Answer set_name(long call, const char* name) {
  const std::string text(65, 'x');
  return judge_privileged(name, ::syscall(call, text.data(), text.size()));
}

Answer read_log() {
  char text[256];
  constexpr int kReadAll = 3;
  return judge_privileged("syslog", ::syscall(SYS_syslog, kReadAll, text, sizeof text));
}

Answer take_module(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return inapplicable(std::string("there is no ") + path);
  return judge_privileged("finit_module", ::syscall(SYS_finit_module, fd, "", 0));
}

// Under the numbers of 32-bit programs, where a filter of 64-bit ones does not look.
Answer call_as_32_bit() {
  constexpr int kGetpid32 = 20;
  int result = kGetpid32;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  errno = -result;
  if (result == -ENOSYS) return inapplicable("int 0x80: ENOSYS");
  return judge("int 0x80", result);
}

Answer call_as_x32() {
  constexpr long kX32 = 0x40000000;
  const long result = ::syscall(kX32 + SYS_getpid);
  if (result < 0 && errno == ENOSYS) return inapplicable("x32: ENOSYS");
  return judge("x32", result);
}

Answer change_personality(unsigned long kind) {
  return judge_privileged("personality", ::syscall(SYS_personality, kind));
}

Answer crash() {
  const pid_t pid = ::fork();
  if (pid < 0) return refused("fork");
  if (pid == 0) {
    ::signal(SIGABRT, SIG_DFL);
    (void)::chdir("/data");
    ::abort();
  }
  int status = 0;
  (void)::waitpid(pid, &status, 0);
  return WCOREDUMP(status) ? broken("its memory was written out") : held("no core was written");
}

struct Segment {
  const void* bytes;
  std::size_t size;
  const void* memory;
  std::size_t room;
};

Answer load_kernel() {
  const Segment none{};
  constexpr unsigned long kTooMany = 1'000;
  constexpr unsigned long kNoFlags = 0xff00;
  return judge_privileged("kexec_load", ::syscall(SYS_kexec_load, 0, kTooMany, &none, kNoFlags));
}

Answer load_kernel_file() {
  constexpr unsigned long kNoFlags = 0xff00;
  return judge_privileged("kexec_file_load",
                          ::syscall(SYS_kexec_file_load, -1, -1, 0, nullptr, kNoFlags));
}

using Call = long;
template <Call Number>
Answer called(const char* name, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  return judge_privileged(name, ::syscall(Number, a, b, c, d, e));
}

long at(const char* text) { return reinterpret_cast<long>(text); }

constexpr Attempt kAttempts[] = {
    {"bpf-program", kTopic, "load a program into the kernel",
     [](const Knowledge&) { return load_bpf(); }},
    {"bpf-map", kTopic, "make a map in the kernel", [](const Knowledge&) { return map_bpf(); }},
    {"perf-machine", kTopic, "count events of the whole machine",
     [](const Knowledge&) { return count_events(-1, 0); }},
    {"perf-self", kTopic, "count events at all",
     [](const Knowledge&) { return count_events(0, -1); }},
    {"userfaultfd", kTopic, "handle page faults, to hold the kernel in the middle of a call",
     [](const Knowledge&) { return called<SYS_userfaultfd>("userfaultfd", O_CLOEXEC | 1); }},
    {"io-uring", kTopic, "make calls through a ring, past the filter",
     [](const Knowledge&) { return set_up_ring(); }},
    {"io-setup", kTopic, "make calls through the older ring",
     [](const Knowledge&) { return called<SYS_io_destroy>("io_destroy", -1); }},
    {"key-add", kTopic, "keep a key in the kernel", [](const Knowledge&) { return add_key(); }},
    {"key-request", kTopic, "have the host fetch a key",
     [](const Knowledge&) {
       return called<SYS_request_key>("request_key", at("user"), at("granary-none"), 0, 0);
     }},
    {"key-control", kTopic, "read the keyring of the session that began all this",
     [](const Knowledge&) {
       return called<SYS_keyctl>("keyctl", KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
     }},
    {"kexec", kTopic, "load another kernel", [](const Knowledge&) { return load_kernel(); }},
    {"kexec-file", kTopic, "load another kernel from a file",
     [](const Knowledge&) { return load_kernel_file(); }},
    {"module-load", kTopic, "load a module",
     [](const Knowledge&) { return called<SYS_init_module>("init_module", at("x"), 1, at("")); }},
    {"module-load-file", kTopic, "load a module from a file",
     [](const Knowledge&) { return take_module("/proc/self/exe"); }},
    {"module-unload", kTopic, "unload a module",
     [](const Knowledge&) {
       return called<SYS_delete_module>("delete_module", at("granary_none"), O_NONBLOCK);
     }},
    {"reboot", kTopic, "restart the machine",
     [](const Knowledge&) { return called<SYS_reboot>("reboot", 0, 0, 0); }},
    {"swapon", kTopic, "have the machine swap",
     [](const Knowledge&) { return called<SYS_swapon>("swapon", at(kNothing), 0); }},
    {"swapoff", kTopic, "take the machine's swap away",
     [](const Knowledge&) { return called<SYS_swapoff>("swapoff", at(kNothing)); }},
    {"quota", kTopic, "change the quota of a disk",
     [](const Knowledge&) {
       return called<SYS_quotactl>("quotactl", QCMD(Q_QUOTAOFF, USRQUOTA), at(kNothing));
     }},
    {"accounting", kTopic, "have all processes of the host written down",
     [](const Knowledge&) { return called<SYS_acct>("acct", at(kNothing)); }},
    {"kernel-log", kTopic, "read the kernel's log", [](const Knowledge&) { return read_log(); }},
    {"io-ports", kTopic, "get at the machine's ports",
     [](const Knowledge&) { return called<SYS_ioperm>("ioperm", 0x80, 1, 1); }},
    {"io-level", kTopic, "get at all of the machine's ports",
     [](const Knowledge&) { return called<SYS_iopl>("iopl", 3); }},
    {"clock-set", kTopic, "set the clock", [](const Knowledge&) { return set_clock(); }},
    {"clock-set-day", kTopic, "set the clock by the older call",
     [](const Knowledge&) { return set_day(); }},
    {"clock-adjust", kTopic, "make the clock run faster",
     [](const Knowledge&) { return adjust_clock(); }},
    {"hostname-set", kTopic, "set the host name",
     [](const Knowledge&) { return set_name(SYS_sethostname, "sethostname"); }},
    {"domainname-set", kTopic, "set the domain name",
     [](const Knowledge&) { return set_name(SYS_setdomainname, "setdomainname"); }},
    {"personality-layout", kTopic, "have programs lie at known addresses",
     [](const Knowledge&) { return change_personality(ADDR_NO_RANDOMIZE); }},
    {"personality-zero-page", kTopic, "have page zero mapped",
     [](const Knowledge&) { return change_personality(MMAP_PAGE_ZERO); }},
    {"segment-table", kTopic, "change the segments that the processor knows",
     [](const Knowledge&) { return called<SYS_modify_ldt>("modify_ldt", 0, 0, 0); }},
    {"hang-up", kTopic, "hang up the terminal of whoever is there",
     [](const Knowledge&) { return called<SYS_vhangup>("vhangup"); }},
    {"fanotify", kTopic, "watch all files of a mount",
     [](const Knowledge&) { return called<SYS_fanotify_init>("fanotify_init", 0x8, 0); }},
    {"memory-policy", kTopic, "choose the memory of another node",
     [](const Knowledge&) { return called<SYS_set_mempolicy>("set_mempolicy", 0, 0, 0); }},
    {"secret-memory", kTopic, "hold memory that the host cannot look at",
     [](const Knowledge&) { return called<SYS_memfd_secret>("memfd_secret", 0); }},
    {"cookie-of-path", kTopic, "turn a profiler's cookie into a path",
     [](const Knowledge&) { return called<212>("lookup_dcookie", 0, 0, 0); }},
    {"nfs-server", kTopic, "control the kernel's file server",
     [](const Knowledge&) { return called<180>("nfsservctl", 0, 0, 0); }},
    {"filesystem-kinds", kTopic, "use a call of 1992",
     [](const Knowledge&) { return called<SYS_uselib>("uselib", at(kNothing)); }},
    {"mounts-listing", kTopic, "list mounts by the newest calls",
     [](const Knowledge&) { return called<458>("listmount", 0, 0, 0, 0); }},
    {"lsm-attribute", kTopic, "set an attribute of the security modules",
     [](const Knowledge&) { return called<460>("lsm_set_self_attr", 0, 0, 0, 0); }},
    {"calls-32-bit", kTopic, "make calls as 32-bit programs do",
     [](const Knowledge&) { return call_as_32_bit(); }},
    {"calls-x32", kTopic, "make calls as x32 programs do",
     [](const Knowledge&) { return call_as_x32(); }},
    {"core-dump", kTopic, "have a crash write the memory out",
     [](const Knowledge&) { return crash(); }},
};

}  // namespace

std::span<const Attempt> kernel_attempts() { return kAttempts; }

}  // namespace granary::walls

// Taking more of the machine than was given: control groups, limits, priorities.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "limits";
constexpr std::size_t kMuch = 1ULL << 30;

// Beyond the hard limit; where there is none, the control group holds instead.
Answer raise(__rlimit_resource kind, const char* name) {
  rlimit limit{};
  const std::string call = std::string("setrlimit ") + name;
  if (::getrlimit(kind, &limit) != 0) return refused("getrlimit");
  if (limit.rlim_max == RLIM_INFINITY) return inapplicable(call + ": it is unlimited already");
  ++limit.rlim_max;
  return judge(call, ::setrlimit(kind, &limit));
}

// Lower than it is: a handler of the host's is started for a crash even at 0, but not at 1.
Answer lower_core() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return refused("getrlimit");
  limit.rlim_cur = 0;
  return judge("setrlimit CORE to 0", ::setrlimit(RLIMIT_CORE, &limit));
}

Answer core_handler() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return refused("getrlimit");
  const std::string answer = "the limit of core files is " + std::to_string(limit.rlim_cur);
  return limit.rlim_cur == 1 ? held(answer) : broken(answer);
}

Answer lock_memory() {
  void* memory = ::mmap(nullptr, kMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return refused("mmap");
  return judge("mlock of 1 GiB", ::mlock(memory, kMuch));
}

Answer huge_pages() {
  void* memory = ::mmap(nullptr, 2U << 20, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  return memory == MAP_FAILED ? refused("mmap MAP_HUGETLB") : broken("mmap MAP_HUGETLB: done");
}

Answer raise_priority() { return judge("setpriority -20", ::setpriority(PRIO_PROCESS, 0, -20)); }

Answer real_time(int policy) {
  sched_param parameters{};
  parameters.sched_priority = 1;
  return judge("sched_setscheduler", ::sched_setscheduler(0, policy, &parameters));
}

// SCHED_DEADLINE goes before all else; of the kernel's newest classes as well.
Answer deadline_class() {
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes{};
  attributes.size = sizeof attributes;
  attributes.policy = SCHED_DEADLINE;
  attributes.runtime = 10'000'000;
  attributes.deadline = attributes.period = 100'000'000;
  return judge("sched_setattr", ::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

Answer real_time_disk() {
  constexpr int kProcess = 1;
  constexpr int kRealTime = 1 << 13;
  return judge("ioprio_set", ::syscall(SYS_ioprio_set, kProcess, 0, kRealTime));
}

Answer spare_from_killing() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return refused("open oom_score_adj");
  return judge("write -1000 into oom_score_adj", ::write(fd, "-1000", 5));
}

// Control groups by whatever view of them there is: the own ones are seen, no other's, and none
// may be written.
Answer list_groups() {
  std::size_t seen = 0;
  for (const std::string& line : lines_of(read_text("/proc/self/mountinfo"))) {
    // ID PARENT DEVICE ROOT TARGET OPTIONS ... - TYPE SOURCE OPTIONS
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 6 || line.find(" - cgroup") == std::string::npos) continue;
    if (words[3] != "/") return broken("the control group " + words[3] + " is mounted");
    if (!words[5].starts_with("ro")) return broken("a control group can be written: " + words[4]);
    for (const std::string& name : names_in(words[4])) {
      struct stat status{};
      const std::string inner = words[4] + "/" + name;
      if (::lstat(inner.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
        return broken("the control group " + inner + " is seen");
    }
    ++seen;
  }
  return held(std::to_string(seen) + " control groups are seen, all of them the own");
}

Answer processes_of_groups() {
  for (const char* file : {"cgroup.procs", "pids/cgroup.procs", "memory/tasks", "cpuset/tasks",
                           "cpuset/cgroup.procs"}) {
    const std::string path = std::string("/sys/fs/cgroup/") + file;
    for (const std::string& pid : lines_of(read_text(path))) {
      struct stat status{};
      const std::string process = "/proc/" + pid;
      if (pid != "0" && ::stat(process.c_str(), &status) == 0 && status.st_uid != ::geteuid())
        return broken(path + " lists a process of another's: " + pid);
    }
  }
  return held("the own control groups list own processes alone");
}

// Under the name that it has in version 2 and in version 1.
Answer change_group(const char* file, const char* older) {
  Answer answer = try_write(std::string("/sys/fs/cgroup/") + file);
  return answer.outcome == Outcome::Held ? try_write(std::string("/sys/fs/cgroup/") + older)
                                         : answer;
}

Answer leave_group() {
  for (const char* file : {"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/pids/cgroup.procs",
                           "/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/memory/tasks"}) {
    if (Answer answer = try_write(file); answer.outcome != Outcome::Held) return answer;
  }
  return refused("open cgroup.procs");
}

Answer name_of_group(const Knowledge& known) {
  for (const std::string& line : lines_of(read_text("/proc/self/cgroup"))) {
    const std::string path = line.substr(line.rfind(':') + 1);
    if (path.find("granary") != std::string::npos ||
        (known.has("self") && path.find(known.get("self")) != std::string::npos))
      return broken("/proc/self/cgroup: " + path);
  }
  return held("/proc/self/cgroup names no group of the platform");
}

Answer message_queues() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MSGQUEUE, &limit) != 0) return refused("getrlimit");
  if (limit.rlim_max == RLIM_INFINITY) return inapplicable("unlimited already");
  return raise(RLIMIT_MSGQUEUE, "MSGQUEUE");
}

constexpr Attempt kAttempts[] = {
    {"limit-descriptors", kTopic, "raise the limit of descriptors",
     [](const Knowledge&) { return raise(RLIMIT_NOFILE, "NOFILE"); }},
    {"limit-processes", kTopic, "raise the limit of processes",
     [](const Knowledge&) { return raise(RLIMIT_NPROC, "NPROC"); }},
    {"limit-locked", kTopic, "raise the limit of locked memory",
     [](const Knowledge&) { return raise(RLIMIT_MEMLOCK, "MEMLOCK"); }},
    {"limit-core", kTopic, "raise the limit of core files",
     [](const Knowledge&) { return raise(RLIMIT_CORE, "CORE"); }},
    {"limit-core-lower", kTopic, "lower the limit of core files, so that a handler is started",
     [](const Knowledge&) { return lower_core(); }},
    {"core-handler", kTopic, "have a crash start the host's handler of crashes",
     [](const Knowledge&) { return core_handler(); }},
    {"limit-signals", kTopic, "raise the limit of queued signals",
     [](const Knowledge&) { return raise(RLIMIT_SIGPENDING, "SIGPENDING"); }},
    {"limit-messages", kTopic, "raise the limit of message queues",
     [](const Knowledge&) { return message_queues(); }},
    {"limit-nice", kTopic, "raise the limit of priorities",
     [](const Knowledge&) { return raise(RLIMIT_NICE, "NICE"); }},
    {"limit-real-time", kTopic, "raise the limit of real-time priorities",
     [](const Knowledge&) { return raise(RLIMIT_RTPRIO, "RTPRIO"); }},
    {"memory-lock", kTopic, "lock a gigabyte of memory",
     [](const Knowledge&) { return lock_memory(); }},
    {"memory-huge", kTopic, "take the host's huge pages",
     [](const Knowledge&) { return huge_pages(); }},
    {"priority-highest", kTopic, "run before all others",
     [](const Knowledge&) { return raise_priority(); }},
    {"priority-fifo", kTopic, "run until done",
     [](const Knowledge&) { return real_time(SCHED_FIFO); }},
    {"priority-round-robin", kTopic, "run before all ordinary processes",
     [](const Knowledge&) { return real_time(SCHED_RR); }},
    {"priority-deadline", kTopic, "run by deadlines",
     [](const Knowledge&) { return deadline_class(); }},
    {"priority-disk", kTopic, "read and write before all others",
     [](const Knowledge&) { return real_time_disk(); }},
    {"priority-killing", kTopic, "be the last to be killed when memory is short",
     [](const Knowledge&) { return spare_from_killing(); }},
    {"group-list", kTopic, "see the control groups",
     [](const Knowledge&) { return list_groups(); }},
    {"group-members", kTopic, "see other accounts' processes in a control group",
     [](const Knowledge&) { return processes_of_groups(); }},
    {"group-memory", kTopic, "lift the own memory limit",
     [](const Knowledge&) { return change_group("memory.max", "memory/memory.limit_in_bytes"); }},
    {"group-processes", kTopic, "change the own group of processes",
     [](const Knowledge&) { return change_group("pids.max", "pids/cgroup.clone_children"); }},
    {"group-leave", kTopic, "leave the own control group",
     [](const Knowledge&) { return leave_group(); }},
    {"group-release-agent", kTopic, "name a program that the host starts for an empty group",
     [](const Knowledge&) { return change_group("release_agent", "memory/release_agent"); }},
    {"group-name", kTopic, "learn the own account's id from the control group's name",
     [](const Knowledge& known) { return name_of_group(known); }},
};

}  // namespace

std::span<const Attempt> limit_attempts() { return kAttempts; }

}  // namespace granary::walls

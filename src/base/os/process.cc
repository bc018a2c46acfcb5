#include "base/os/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLongestStat = 4096;
constexpr std::size_t kMostOutput = 64U << 10;

milliseconds monotonic_now() {
  return std::chrono::duration_cast<milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

int poll_once(int fd, milliseconds limit) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, static_cast<int>(std::max(limit, milliseconds(0)).count()));
}

// The fields after "(name) ", whose name may hold spaces and parentheses itself.
std::vector<std::string_view> stat_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return fields;
  text.remove_prefix(name_end + 1);
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    fields.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return fields;
}

template <class T>
T number(std::string_view text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Reads until the writers are gone or the time is over; what is too much is read and dropped.
Result<std::string> read_output(int fd, milliseconds deadline) {
  std::string output;
  char block[4096];
  for (;;) {
    const int ready = poll_once(fd, deadline - monotonic_now());
    if (ready == 0) return fail(Code::Deadline, "the program ran out of time");
    if (ready < 0) continue;
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got <= 0) return output;
    const std::size_t room = kMostOutput - std::min(kMostOutput, output.size());
    output.append(block, std::min(static_cast<std::size_t>(got), room));
  }
}

Result<pid_t> spawn(const std::vector<std::string>& argv, int output) {
  std::vector<std::string> arguments = argv;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  std::string language = "LC_ALL=C";
  char* environment[] = {path.data(), language.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, pointers[0], &actions, nullptr, pointers.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::unexpected(from_errno(error, "posix_spawn", argv.front()));
  return pid;
}

}  // namespace

void give_back_memory(std::size_t most) {
  if (::mallinfo2().fordblks > most) ::malloc_trim(0);
}

void share_memory_pools() { ::mallopt(M_ARENA_MAX, 2); }

void raise_descriptor_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
}

std::string boot_id() {
  std::string id = read_file("/proc/sys/kernel/random/boot_id", 64).value_or("");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

Result<ProcessStatus> process_status(pid_t pid) {
  TRY_ASSIGN(const std::string text, read_file(fmt::format("/proc/{}/stat", pid), kLongestStat));
  const auto fields = stat_fields(text);
  constexpr std::size_t kState = 0, kParent = 1, kStarted = 19;  // proc(5), after the name
  if (fields.size() <= kStarted) return fail(Code::NotFound, "process {} has ended", pid);
  ProcessStatus status;
  status.identity = {pid, number<std::uint64_t>(fields[kStarted])};
  status.parent = number<pid_t>(fields[kParent]);
  status.state = fields[kState].front();
  return status;
}

Result<Fd> open_process(pid_t pid) {
  TRY_ASSIGN(const long fd, checked("pidfd_open", std::to_string(pid),
                                    [&] { return ::syscall(SYS_pidfd_open, pid, 0); }));
  return Fd(static_cast<int>(fd));
}

Result<Fd> open_process(const ProcessIdentity& identity) {
  TRY_ASSIGN(Fd fd, open_process(identity.pid));
  // Looked at after the pidfd was opened: from then on the pid cannot pass to another one unseen.
  TRY_ASSIGN(const ProcessStatus status, process_status(identity.pid));
  if (status.identity != identity || has_ended(fd.get()))
    return fail(Code::NotFound, "process {} is no longer the one that it was", identity.pid);
  return fd;
}

Result<void> signal_process(int pidfd, int number) {
  const auto sent = checked("pidfd_send_signal", std::to_string(number), [&] {
    return ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0);
  });
  if (!sent && sent.error().code != Code::NotFound) return std::unexpected(sent.error());
  return {};
}

bool has_ended(int pidfd) { return poll_once(pidfd, milliseconds(0)) > 0; }

Result<Fd> take_descriptor(int pidfd, int number) {
  TRY_ASSIGN(const long fd, checked("pidfd_getfd", std::to_string(number),
                                    [&] { return ::syscall(SYS_pidfd_getfd, pidfd, number, 0); }));
  return Fd(static_cast<int>(fd));
}

void pause_thread(milliseconds duration) { ::poll(nullptr, 0, static_cast<int>(duration.count())); }

Result<void> wait_for_end(int pidfd, milliseconds limit) {
  const milliseconds deadline = monotonic_now() + limit;
  for (;;) {
    const int ready = poll_once(pidfd, deadline - monotonic_now());
    if (ready > 0) return {};
    if (ready == 0) return fail(Code::Deadline, "the process did not end in time");
  }
}

Result<int> reap(pid_t pid) {
  int status = 0;
  const auto got =
      checked("waitpid", std::to_string(pid), [&] { return ::waitpid(pid, &status, WNOHANG); });
  if (!got) return fail(Code::NotFound, "{} is no child of this process", pid);
  if (*got == 0) return fail(Code::Unavailable, "process {} runs on", pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<ProgramEnd> run_program(const std::vector<std::string>& argv, milliseconds limit) {
  int ends[2];
  TRY(checked("pipe2", argv.front(), [&] { return ::pipe2(ends, O_CLOEXEC); }));
  Fd reading(ends[0]);
  Fd writing(ends[1]);
  TRY_ASSIGN(const pid_t pid, spawn(argv, writing.get()));
  writing.reset();
  const milliseconds deadline = monotonic_now() + limit;
  auto output = read_output(reading.get(), deadline);
  TRY_ASSIGN(const Fd process, open_process(pid));
  const auto ended = wait_for_end(process.get(), deadline - monotonic_now());
  if (!ended || !output) (void)signal_process(process.get(), SIGKILL);
  (void)wait_for_end(process.get(), std::chrono::seconds(10));
  TRY_ASSIGN(const int code, reap(pid));
  if (!ended || !output)
    return fail(Code::Deadline, "{} did not end within {} ms", argv.front(), limit.count());
  return ProgramEnd{code, std::move(*output)};
}

}  // namespace granary::base::os

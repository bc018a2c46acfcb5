#include "base/os/freeze.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// What the child says, once when it has frozen and once when it has ended that.
struct Word {
  int error_number = 0;
  bool told = false;  // it was told to end, rather than out of time
  std::int64_t microseconds = 0;
};

std::int64_t now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

void say(int line, const Word& word) {
  while (::send(line, &word, sizeof word, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// In the child: only calls that are safe after a fork of a program with threads.
[[noreturn]] void guard(int folder, int line, int at_most_ms) {
  constexpr int kFolder = 3;
  constexpr int kLine = 4;
  // First out of the way of each other; nobody else's connection must stay open because of us.
  folder = ::fcntl(folder, F_DUPFD, kLine + 1);
  line = ::fcntl(line, F_DUPFD, kLine + 1);
  ::dup2(folder, kFolder);
  ::dup2(line, kLine);
  (void)::syscall(SYS_close_range, kLine + 1, ~0U, 0);
  const std::int64_t since = now_us();
  if (::ioctl(kFolder, FIFREEZE, 0) != 0) {
    say(kLine, {.error_number = errno});
    ::_exit(1);
  }
  say(kLine, {});
  pollfd watched{kLine, POLLIN, 0};
  // Writers wait since it began, so writing out what they had left counts as well.
  const auto passed = static_cast<int>((now_us() - since) / 1'000);
  const int told = ::poll(&watched, 1, std::max(at_most_ms - passed, 0));
  Word word{.told = told > 0};
  if (::ioctl(kFolder, FITHAW, 0) != 0) word.error_number = errno;
  word.microseconds = now_us() - since;
  say(kLine, word);
  ::_exit(0);
}

Result<Word> hear(const Fd& line) {
  Word word;
  TRY_ASSIGN(const ssize_t got,
             checked("recv", "freeze", [&] { return ::recv(line.get(), &word, sizeof word, 0); }));
  if (got == static_cast<ssize_t>(sizeof word)) return word;
  return fail(Code::Unavailable, "the process that held the file system still was killed");
}

// With all signals blocked, for ever in the child: a handler of ours would act for the parent.
pid_t fork_guard(const Fd& folder, const Fd& line, int at_most_ms) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) guard(folder.get(), line.get(), at_most_ms);
  const int error_number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error_number;
  return pid;
}

}  // namespace

Result<std::unique_ptr<Freeze>> Freeze::begin(const Fd& folder, std::chrono::milliseconds at_most) {
  int ends[2];
  TRY(checked("socketpair", "freeze",
              [&] { return ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }));
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t pid = fork_guard(folder, theirs, static_cast<int>(at_most.count()));
  if (pid < 0) return std::unexpected(from_errno(errno, "fork", "freeze"));
  theirs.reset();
  std::unique_ptr<Freeze> freeze(new Freeze(pid, std::move(ours)));
  TRY_ASSIGN(const Word word, hear(freeze->line_));
  if (word.error_number != 0)
    return std::unexpected(from_errno(word.error_number, "ioctl", "FIFREEZE"));
  return freeze;
}

Freeze::~Freeze() {
  if (guard_ != 0) (void)end();
}

Result<std::chrono::microseconds> Freeze::end() {
  const pid_t pid = std::exchange(guard_, 0);
  (void)::shutdown(line_.get(), SHUT_WR);  // the guard's line ends: it is told
  const auto word = hear(line_);
  int status = 0;
  TRY(checked("waitpid", "freeze", [&] { return ::waitpid(pid, &status, 0); }));
  if (!word) return std::unexpected(word.error());
  if (word->error_number != 0)
    return std::unexpected(from_errno(word->error_number, "ioctl", "FITHAW"));
  if (!word->told)
    return fail(Code::Deadline, "the file system could not be held still for long enough");
  return std::chrono::microseconds(word->microseconds);
}

Result<void> thaw(const Fd& folder) {
  if (::ioctl(folder.get(), FITHAW, 0) == 0 || errno == EINVAL) return {};
  return std::unexpected(from_errno(errno, "ioctl", "FITHAW"));
}

}  // namespace granary::base::os

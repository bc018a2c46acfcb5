/* Preloaded into the control role: ends it with SIGKILL at a commit of its choice.
 *
 * GRANARY_TEST_KILL names a file. While it is there and says "before N" or "after N", the N-th time
 * from then on that the database's log is made durable, the process dies just before or just after
 * that; the file is gone then. SQLite calls fdatasync() once for every commit (WAL, FULL).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_log(int fd) {
  static const char kEnd[] = "/granary.db-wal";
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < (ssize_t)sizeof kEnd) return 0;
  path[length] = '\0';
  return strcmp(path + length - (ssize_t)(sizeof kEnd - 1), kEnd) == 0;
}

/* 0: go on. Otherwise the plan's first letter, when its turn has come. */
static char turn_of_plan(void) {
  static int counted; /* one thread writes */
  const char* plan = getenv("GRANARY_TEST_KILL");
  char text[32] = "";
  char side[16];
  int number = 0;
  const int fd = plan ? open(plan, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) {
    counted = 0;
    return 0;
  }
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0 || sscanf(text, "%15s %d", side, &number) != 2) return 0;
  if (++counted != number) return 0;
  unlink(plan);
  return side[0];
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "fdatasync");
  const char turn = is_log(fd) ? turn_of_plan() : 0;
  if (turn == 'b') kill(getpid(), SIGKILL);
  const int result = real(fd);
  if (turn == 'a') kill(getpid(), SIGKILL);
  return result;
}

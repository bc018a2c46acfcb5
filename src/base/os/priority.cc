#include "base/os/priority.h"

#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace granary::base::os {
namespace {

constexpr int kLowNice = 15;
constexpr int kSelf = 0;  // the calling thread: Linux has priorities of threads

void set(int nice, long io) {
  (void)::setpriority(PRIO_PROCESS, kSelf, nice);
  (void)::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, kSelf, io);
}

}  // namespace

LowPriority::LowPriority()
    : nice_(::getpriority(PRIO_PROCESS, kSelf)),
      io_(::syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, kSelf)) {
  set(kLowNice, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7));
}

LowPriority::~LowPriority() { set(nice_, io_); }

}  // namespace granary::base::os

// The part of sys.h that adds watches of files for another process.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace granary::init::sys {

// A filter on this process and all that it starts, for good: whoever asks to be told of reading
// (inotify_add_watch with IN_ACCESS, IN_OPEN or IN_CLOSE_NOWRITE) is stopped until somebody
// answers, or is refused (EPERM). Nobody may take another's descriptors either. Ask gives the
// descriptor that questions come by. Only async-signal-safe calls.
enum class WatchGuard { Ask, Refuse };
int guard_watches(WatchGuard guard);

int make_socket_pair(int (&ends)[2]);  // close-on-exec, the first does not block
int send_descriptor(int socket, int fd);
int receive_descriptor(int socket);

struct WatchQuestion {
  std::uint64_t id = 0;
  pid_t thread = 0;
  int instance = -1;       // the asker's descriptor of inotify
  std::uint64_t path = 0;  // in the asker's memory
  std::uint32_t mask = 0;
};
// Errors: -ENOENT when the asker has gone.
int take_question(int questions, WatchQuestion& into);
// Adds the watch in the asker's place, without events of reading. What inotify_add_watch returned;
// -EPERM where no event is left, or the asker cannot be looked into.
int add_watch_for(int questions, const WatchQuestion& question);
// `result`: a value, or a negative errno.
void answer_question(int questions, const WatchQuestion& question, int result);

}  // namespace granary::init::sys

// Finding the other account by what the kernel keeps under names or shares by file: the victim
// holds a beacon of each kind (beacon.h).
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <string>

#include "walls/attempt.h"
#include "walls/beacon.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"
#include "walls/reach.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "what is shared";
constexpr int kWatchMs = 1'000;  // the victim opens the file ten times meanwhile

Answer shared_memory() {
  const int segment = ::shmget(kBeaconKey, kBeaconBytes, 0);
  if (segment < 0) return refused("shmget");
  return broken("shmget: the other account's memory");
}

Answer message_queue() {
  const mqd_t queue = ::mq_open(kBeaconQueue, O_RDONLY | O_NONBLOCK);
  if (queue < 0) return refused("mq_open");
  return broken("mq_open: the other account's queue");
}

Answer list_of_shared_memory() {
  for (const std::string& line : lines_of(read_text("/proc/sysvipc/shm"))) {
    if (!line.empty() && words_of(line)[0] == std::to_string(kBeaconKey))
      return broken("/proc/sysvipc/shm shows the other account's memory");
  }
  return held("/proc/sysvipc/shm shows no other's");
}

constexpr std::uint32_t kReading = IN_OPEN | IN_ACCESS;

Answer watch(const char* file, const char* whose, std::uint32_t mask = kReading) {
  const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return refused("inotify_init1");
  if (::inotify_add_watch(fd, file, mask) < 0)
    return refused(std::string("inotify_add_watch ") + file);
  pollfd watched{fd, POLLIN, 0};
  if (::poll(&watched, 1, kWatchMs) == 0)
    return held(std::string("inotify of ") + file + " told nothing");
  return broken(std::string("inotify of ") + file + " tells when " + whose + " opens it");
}

// Whoever adds the watch in our place shall not take our descriptor for its own.
Answer watch_through_link() {
  constexpr const char* kLink = "/data/granary-attack-watch";
  const int file = ::open(kSharedFile, O_RDONLY | O_CLOEXEC);
  if (file < 0) return inapplicable(std::string("there is no ") + kSharedFile);
  const std::string target = "/proc/self/fd/" + std::to_string(file);
  ::unlink(kLink);
  if (::symlink(target.c_str(), kLink) != 0) return refused("symlink");
  Answer answer = watch(kLink, "the other account", IN_ALL_EVENTS);
  ::unlink(kLink);
  ::close(file);
  return answer;
}

// The older way: a signal when something in the folder is read.
Answer watch_folder(const char* folder) {
  sigset_t told;
  ::sigemptyset(&told);
  ::sigaddset(&told, SIGIO);
  ::sigprocmask(SIG_BLOCK, &told, nullptr);
  const int fd = ::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return refused(std::string("open ") + folder);
  const std::string call = std::string("fcntl F_NOTIFY of ") + folder;
  if (::fcntl(fd, F_NOTIFY, DN_ACCESS) != 0) return refused(call);
  const timespec patience{kWatchMs / 1000, 0};
  if (::sigtimedwait(&told, nullptr, &patience) < 0) return held(call + " told nothing");
  return broken(call + " tells when the other account reads in it");
}

Answer beacon_file(const char* file) {
  const std::string text = read_text(file, 256);
  return text.empty() ? refused(std::string("open ") + file)
                      : broken(std::string(file) + " holds " + text);
}

// Programs that the host or another silo starts lie in the same folders.
Answer leave_lease() {
  const int fd = ::open(kSharedFile, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return inapplicable(std::string("there is no ") + kSharedFile);
  return judge("fcntl F_SETLEASE", ::fcntl(fd, F_SETLEASE, F_RDLCK));
}

constexpr Attempt kAttempts[] = {
    {"beacon-abstract", kTopic, "connect to the other account's abstract socket",
     [](const Knowledge&) { return reach_unix(kBeaconName); }},
    {"beacon-loopback", kTopic, "connect to the other account's port on loopback",
     [](const Knowledge&) { return reach_local("127.0.0.1", kBeaconPort); }},
    {"beacon-shared-memory", kTopic, "attach the other account's shared memory",
     [](const Knowledge&) { return shared_memory(); }},
    {"beacon-shared-memory-list", kTopic, "see the other account's shared memory listed",
     [](const Knowledge&) { return list_of_shared_memory(); }},
    {"beacon-messages", kTopic, "open the other account's System V message queue",
     [](const Knowledge&) { return judge("msgget", ::msgget(kBeaconKey, 0)); }},
    {"beacon-semaphores", kTopic, "open the other account's semaphores",
     [](const Knowledge&) { return judge("semget", ::semget(kBeaconKey, 0, 0)); }},
    {"beacon-queue", kTopic, "open the other account's POSIX message queue",
     [](const Knowledge&) { return message_queue(); }},
    {"beacon-tmp", kTopic, "read what the other account keeps in /tmp",
     [](const Knowledge&) { return beacon_file(kBeaconFiles[0]); }},
    {"beacon-shm-file", kTopic, "read what the other account keeps in /dev/shm",
     [](const Knowledge&) { return beacon_file(kBeaconFiles[1]); }},
    {"lease-release", kTopic, "be told when the other account writes a file of the release",
     [](const Knowledge&) { return leave_lease(); }},
    {"watch-release", kTopic, "watch when the other account opens a file of the release",
     [](const Knowledge&) { return watch(kSharedFile, "the other account"); }},
    {"watch-release-all", kTopic, "watch all that happens to a file of the release",
     [](const Knowledge&) { return watch(kSharedFile, "the other account", IN_ALL_EVENTS); }},
    {"watch-release-link", kTopic, "watch the release through a link to an own descriptor",
     [](const Knowledge&) { return watch_through_link(); }},
    {"watch-release-folder", kTopic, "watch when the other account reads in the release",
     [](const Knowledge&) { return watch_folder("/app"); }},
    {"watch-programs", kTopic, "watch which programs the host runs",
     [](const Knowledge&) { return watch("/usr/bin", "the host"); }},
    {"watch-device", kTopic, "watch when anybody on the host opens a device",
     [](const Knowledge&) { return watch("/dev/null", "anybody"); }},
};

}  // namespace

std::span<const Attempt> shared_attempts() { return kAttempts; }

}  // namespace granary::walls

#include "walls/beacon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr int kOpenEveryMs = 100;

int listen_abstract() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view name(kBeaconName);
  std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  (void)::bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
  (void)::listen(fd, 8);
  return fd;
}

int listen_loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kBeaconPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  (void)::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  (void)::listen(fd, 8);
  return fd;
}

void keep_in_memory(const std::string& marker) {
  const int segment = ::shmget(kBeaconKey, kBeaconBytes, IPC_CREAT | 0666);
  if (void* memory = ::shmat(segment, nullptr, 0); segment >= 0 && memory != nullptr)
    std::memcpy(memory, marker.c_str(), marker.size() + 1);
  (void)::msgget(kBeaconKey, IPC_CREAT | 0666);
  (void)::semget(kBeaconKey, 1, IPC_CREAT | 0666);
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 256;
  const mqd_t queue = ::mq_open(kBeaconQueue, O_RDWR | O_CREAT | O_NONBLOCK, 0666, &attributes);
  if (queue >= 0) (void)::mq_send(queue, marker.data(), marker.size(), 0);
}

void answer(int listener, const std::string& marker) {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  (void)!::write(fd, marker.data(), marker.size());
  ::close(fd);
}

void open_shared_file() {
  const int fd = ::open(kSharedFile, O_RDONLY | O_CLOEXEC);
  char byte = 0;
  (void)!::read(fd, &byte, 1);
  ::close(fd);
}

}  // namespace

void hold_beacons(std::string_view marker_text, int ready) {
  const std::string marker = std::string(marker_text.substr(0, 200));
  for (const char* file : kBeaconFiles) (void)write_text(file, marker);
  keep_in_memory(marker);
  std::array watched{pollfd{listen_abstract(), POLLIN, 0}, pollfd{listen_loopback(), POLLIN, 0}};
  (void)!::write(ready, "lit\n", 4);
  ::close(ready);
  for (;;) {
    (void)::poll(watched.data(), watched.size(), kOpenEveryMs);
    for (const pollfd& listener : watched) answer(listener.fd, marker);
    open_shared_file();
  }
}

int light_beacons(std::string_view marker) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return -1;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setsid();
    ::close(ends[0]);
    for (int fd = 0; fd < ends[1]; ++fd) {
      if (fd > STDERR_FILENO) ::close(fd);
    }
    hold_beacons(marker, ends[1]);
  }
  ::close(ends[1]);
  char byte = 0;
  (void)!::read(ends[0], &byte, 1);
  ::close(ends[0]);
  return pid;
}

}  // namespace granary::walls

#include "walls/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "walls/attempt.h"
#include "walls/beacon.h"
#include "walls/http.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"
#include "walls/runner.h"

namespace granary::walls {
namespace {

// On the account's disk: they outlive the sleep of the service.
constexpr const char* kKnowledgeFile = "/data/granary-attack.known";
constexpr const char* kMarkerFile = "/data/granary-attack.marker";
constexpr const char* kText = "text/plain; charset=utf-8";
constexpr const char* kJson = "application/json";
constexpr std::size_t kFloodPiece = 64 << 10;

using Handler = void (*)(int connection, const Request& request);

void say(int connection, std::string_view text) { send_answer(connection, 200, kText, text); }

void health(int connection, const Request&) { say(connection, "ok\n"); }

void list(int connection, const Request&) { send_answer(connection, 200, kJson, list_as_json()); }

void know(int connection, const Request& request) {
  const Knowledge known = Knowledge::parse(request.body);
  if (write_text(kKnowledgeFile, known.lines()) != 0)
    return send_answer(connection, 500, kText, "the knowledge could not be kept\n");
  say(connection, "ok\n");
}

void try_one(int connection, const Request& request) {
  const Attempt* attempt = find_attempt(parameter(request.query, "name"));
  if (attempt == nullptr) return send_answer(connection, 404, kText, "no such attempt\n");
  Knowledge known = Knowledge::parse(read_text(kKnowledgeFile));
  known.set("connection", std::to_string(connection));
  send_answer(connection, 200, kJson, to_json(*attempt, run_attempt(*attempt, known)) + "\n");
}

void plant(int connection, const Request& request) {
  if (write_text(kMarkerFile, request.body) != 0)
    return send_answer(connection, 500, kText, "the marker could not be kept\n");
  (void)light_beacons(request.body);
  say(connection, "ok\n");
}

void marker(int connection, const Request&) { say(connection, read_text(kMarkerFile)); }

// What the app says goes into its log: to be made as confusing as can be.
void talk(int connection, const Request& request) {
  std::string_view rest(request.body);
  while (!rest.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (count <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  say(connection, "ok\n");
}

void flood(int connection, const Request& request) {
  const std::string piece(kFloodPiece, 'x');
  const long bytes = number_of(parameter(request.query, "mib")) << 20;
  for (long done = 0; done < bytes; done += static_cast<long>(piece.size())) {
    if (::write(STDOUT_FILENO, piece.data(), piece.size()) < 0) break;
  }
  say(connection, "ok\n");
}

// The last words of an app are what its operator is told.
void die(int connection, const Request& request) {
  talk(connection, request);
  ::kill(::getppid(), SIGKILL);
}

// The body is the answer, head and all.
void echo_raw(int connection, const Request& request) { send_raw(connection, request.body); }

// Descriptors sent to whoever is at the other end: the gateway must not keep them.
void send_descriptors(int connection, const Request& request) {
  constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  std::string text(kAnswer);
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = STDOUT_FILENO;
  __builtin_memcpy(CMSG_DATA(head), &fd, sizeof fd);
  (void)request;
  (void)::sendmsg(connection, &message, MSG_NOSIGNAL);
}

// Names and links in /data that whoever deletes, counts or copies the disk may stumble over.
void litter(int connection, const Request& request) {
  const std::string target = parameter(request.query, "target");
  int done = 0;
  const std::string folder = "/data/litter";
  (void)::mkdir(folder.c_str(), 0700);
  const char* links[] = {"/", "..", "../../../../../..", "/proc/self/root", "/dev/zero"};
  for (const char* to : links) {
    done += ::symlink(to, (folder + "/link" + std::to_string(done)).c_str()) == 0 ? 1 : 0;
  }
  if (!target.empty()) (void)::symlink(target.c_str(), (folder + "/canary").c_str());
  const char* names[] = {"\x1b[2J\x1b]0;owned\a", "line\nbreak", "-rf", "..\\..", "\xff\xfe"};
  for (const char* name : names) done += write_text(folder + "/" + name, "x") == 0 ? 1 : 0;
  (void)::link((folder + "/-rf").c_str(), (folder + "/hard").c_str());
  (void)::mkfifo((folder + "/pipe").c_str(), 0600);
  (void)write_text(folder + "/sparse", "x");
  (void)::truncate((folder + "/sparse").c_str(), 1L << 40);
  std::string deep = folder;
  while (deep.size() < 3000 && ::mkdir((deep += "/d").c_str(), 0700) == 0) ++done;
  say(connection, std::to_string(done) + "\n");
}

// What an app may rely on: a wall that takes this away as well is of no use.
void devices(int connection, const Request&) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int random = ::open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  const int zero = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
  char byte = 1;
  const bool well = ::write(null, &byte, 1) == 1 && ::read(null, &byte, 1) == 0 &&
                    ::read(random, &byte, 1) == 1 && ::read(zero, &byte, 1) == 1 && byte == 0 &&
                    write_text("/tmp/granary-attack", "x") == 0 &&
                    write_text("/dev/shm/granary-attack", "x") == 0;
  say(connection, well ? "ok\n" : error_name() + "\n");
}

struct Route {
  const char* method;
  const char* path;
  Handler handler;
};

constexpr Route kRoutes[] = {
    {"GET", "/healthz", health},        {"GET", "/attack/list", list},
    {"POST", "/attack/know", know},     {"GET", "/attack/try", try_one},
    {"POST", "/attack/plant", plant},   {"GET", "/attack/marker", marker},
    {"POST", "/attack/say", talk},      {"POST", "/attack/flood", flood},
    {"POST", "/attack/raw", echo_raw},  {"GET", "/attack/descriptors", send_descriptors},
    {"POST", "/attack/litter", litter}, {"GET", "/attack/devices", devices},
    {"POST", "/attack/die", die},
};

void handle(int connection) {
  Request request;
  if (!read_request(connection, request))
    return send_answer(connection, 400, kText, "not understood\n");
  for (const Route& route : kRoutes) {
    if (request.method == route.method && request.path == route.path)
      return route.handler(connection, request);
  }
  send_answer(connection, 404, kText, "no such page\n");
}

}  // namespace

int serve(int listener) {
  ::signal(SIGCHLD, SIG_IGN);  // the kernel reaps
  ::signal(SIGPIPE, SIG_IGN);
  for (;;) {
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (connection < 0) return 1;
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::signal(SIGCHLD, SIG_DFL);
      handle(connection);
      ::_exit(0);
    }
    ::close(connection);
  }
}

}  // namespace granary::walls

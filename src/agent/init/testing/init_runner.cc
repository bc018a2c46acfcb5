#include "agent/init/testing/init_runner.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace granary::init {
namespace {

namespace fs = std::filesystem;

constexpr int kFirstHandedOver = 3;
constexpr int kSafeNumber = 50;  // above all that init is given

fs::path make_folder() {
  std::string name = (fs::temp_directory_path() / "granary-init-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  fs::permissions(name, fs::perms(0755));
  return name;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

sockaddr_un address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  return address;
}

int listen_on(const fs::path& path) {
  // Non-blocking, as an earlier app may have left it.
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_un address = address_of(path);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      listen(fd, 4096) < 0) {
    throw std::runtime_error("cannot listen");
  }
  return fd;
}

int open_file(const fs::path& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = sys::monotonic_now() + limit;
  while (!condition()) {
    if (sys::monotonic_now() > deadline) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

InitRunner::InitRunner(Settings settings) : settings_(std::move(settings)) {
  folder_ = make_folder();
  if (settings_.copy_program == CopyProgram::Yes) {
    const fs::path copy = folder_ / "granary-init";
    fs::copy_file(program_, copy);
    program_ = copy.string();
  }
  std::vector<int> descriptors;
  descriptors.push_back(listen_on(folder_ / "socket"));
  for (const char* name : {"log0", "log1", "status"}) {
    descriptors.push_back(open_file(folder_ / name));
  }
  pid_ = fork();
  if (pid_ == 0) {
    execute(descriptors);
    _exit(126);
  }
  for (const int fd : descriptors) ::close(fd);
}

InitRunner::~InitRunner() {
  if (pid_ > 0) {
    signal(SIGTERM);  // its own end kills all that it started
    if (!wait_for_exit(std::chrono::seconds(15))) {
      signal(SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void InitRunner::execute(const std::vector<int>& descriptors) const {
  std::vector<int> safe;
  for (const int fd : descriptors) safe.push_back(fcntl(fd, F_DUPFD, kSafeNumber));
  for (std::size_t i = 0; i < safe.size(); ++i) {
    dup2(safe[i], kFirstHandedOver + static_cast<int>(i));  // the copies in `safe` leak to init
  }
  const int null = ::open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  std::vector<std::string> arguments = settings_.wrapper;
  for (const std::string& argument :
       {program_, std::string("--listen"), settings_.listen, std::string("--stop-timeout"),
        std::to_string(settings_.stop_timeout_ms), std::string("--log-bytes"),
        std::to_string(settings_.log_bytes), std::string("--workdir"), settings_.workdir,
        std::string("--")}) {
    arguments.push_back(argument);
  }
  std::ranges::copy(settings_.command, std::back_inserter(arguments));
  std::vector<std::string> environment = settings_.environment;
  environment.push_back("PATH=/usr/bin:/bin:/usr/sbin:/sbin");
  execvpe(arguments[0].c_str(), pointers_to(arguments).data(), pointers_to(environment).data());
}

std::vector<std::string> InitRunner::status() const {
  return lines_of(read_file(folder_ / "status"));
}

bool InitRunner::wait_for_status(const std::string& line) const {
  return wait_until([&] { return std::ranges::count(status(), line) > 0; });
}

std::string InitRunner::log() const {
  std::string first = read_file(folder_ / "log0");
  std::string second = read_file(folder_ / "log1");
  // Headers are of one length and zero-padded, so they compare as their numbers do.
  return first < second ? first + second : second + first;
}

std::vector<std::string> InitRunner::logged(const std::string& tag) const {
  std::vector<std::string> texts;
  const std::string marker = " " + tag + " ";
  for (const std::string& line : lines_of(log())) {
    if (line.compare(kTimeBytes, marker.size(), marker) == 0) {
      texts.push_back(line.substr(kTimeBytes + marker.size()));
    }
  }
  return texts;
}

bool InitRunner::wait_for_log(const std::string& part) const {
  return wait_until([&] { return log().find(part) != std::string::npos; });
}

std::uintmax_t InitRunner::log_size() const {
  return fs::file_size(folder_ / "log0") + fs::file_size(folder_ / "log1");
}

void InitRunner::signal(int number) const { ::kill(pid_, number); }

std::optional<int> InitRunner::wait_for_exit(std::chrono::milliseconds limit) {
  int status = 0;
  const bool ended = wait_until([&] { return waitpid(pid_, &status, WNOHANG) == pid_; }, limit);
  if (!ended) return std::nullopt;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

sys::Fd InitRunner::connect() const {
  sys::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{20, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const sockaddr_un address = address_of(folder_ / "socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    fd.reset();
  }
  return fd;
}

std::string InitRunner::ask(const std::string& request) const {
  const sys::Fd socket = connect();
  send_all(socket, request);
  sys::end_sending(socket.get());
  return receive_all(socket);
}

void send_all(const sys::Fd& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const long count = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(count, 0) << "send: " << std::strerror(errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string receive_all(const sys::Fd& socket) {
  std::string all;
  std::string part(64 * 1024, '\0');
  long count = 0;
  while ((count = ::recv(socket.get(), part.data(), part.size(), 0)) > 0) {
    all.append(part, 0, static_cast<std::size_t>(count));
  }
  EXPECT_EQ(count, 0) << "recv: " << std::strerror(errno);
  return all;
}

std::string receive_some(const sys::Fd& socket, std::size_t count) {
  std::string bytes(count, '\0');
  const long got = ::recv(socket.get(), bytes.data(), count, MSG_WAITALL);
  EXPECT_EQ(got, static_cast<long>(count));
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::uint16_t free_port() {
  // Below the range that the kernel gives to clients, so that none takes it meanwhile.
  constexpr int kFirst = 15'000;
  constexpr int kCount = 15'000;
  static int next = getpid() * 37;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(kFirst + next++ % kCount);
    const sys::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return port;
    }
  }
}

}  // namespace granary::init

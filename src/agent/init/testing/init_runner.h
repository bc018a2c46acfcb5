// Runs the real granary-init as the agent would: with a listening socket, two log files and a
// status file of its own in a temporary folder. For tests; every wait has a deadline and is for a
// condition. One runner, one run; the destructor kills what is left of it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/init/sys.h"

namespace granary::init {

// Until `condition` holds, at most `limit`. Whether it did.
bool wait_until(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(20));

class InitRunner final {
 public:
  // Whether to run a copy of granary-init from the folder, which any uid can read.
  enum class CopyProgram { No, Yes };
  struct Settings {
    std::string listen = "fd";
    int stop_timeout_ms = 10'000;
    std::uint64_t log_bytes = 1 << 20;
    std::string workdir = "/";
    std::vector<std::string> command;
    std::vector<std::string> environment;  // beside PATH
    std::vector<std::string> wrapper;      // what runs it: bwrap and its arguments
    CopyProgram copy_program = CopyProgram::No;
  };
  explicit InitRunner(Settings settings);
  ~InitRunner();
  InitRunner(const InitRunner&) = delete;
  InitRunner& operator=(const InitRunner&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  pid_t pid() const { return pid_; }

  // The lines of the status file so far.
  std::vector<std::string> status() const;
  bool wait_for_status(const std::string& line) const;
  // Both log files, the older one first, headers and all.
  std::string log() const;
  // The text behind timestamp and tag of each line with that tag.
  std::vector<std::string> logged(const std::string& tag) const;
  bool wait_for_log(const std::string& part) const;
  std::uintmax_t log_size() const;

  void signal(int number) const;
  // Its exit code, or 128 + the signal; nothing if it still runs at the deadline.
  std::optional<int> wait_for_exit(std::chrono::milliseconds limit = std::chrono::seconds(30));

  // A client's connection to the silo's listening socket. Blocking, with a timeout.
  sys::Fd connect() const;
  // Like an HTTP/1.0 client without HTTP: sends all, ends sending, reads to the end.
  std::string ask(const std::string& request) const;

 private:
  void execute(const std::vector<int>& descriptors) const;

  Settings settings_;
  std::string program_ = GRANARY_INIT_PATH;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

// Over a connected socket, within deadlines.
void send_all(const sys::Fd& socket, std::string_view bytes);
std::string receive_all(const sys::Fd& socket);
std::string receive_some(const sys::Fd& socket, std::size_t count);

// A TCP port on loopback that nobody listens on at the moment.
std::uint16_t free_port();

}  // namespace granary::init

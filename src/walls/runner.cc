#include "walls/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "walls/judge.h"

namespace granary::walls {
namespace {

constexpr int kDeadlineMs = 5'000;
constexpr std::size_t kMostText = 400;

// One byte of outcome, then the text.
void tell(int fd, const Answer& answer) {
  std::string message(1, static_cast<char>('0' + static_cast<int>(answer.outcome)));
  message += answer.text.substr(0, kMostText);
  (void)!::write(fd, message.data(), message.size());
}

Answer heard(const std::string& message, int status) {
  if (!message.empty()) {
    const int outcome = message[0] - '0';
    if (outcome >= 0 && outcome <= static_cast<int>(Outcome::Inapplicable))
      return {static_cast<Outcome>(outcome), message.substr(1)};
  }
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return held(std::string("killed by SIG") + (name != nullptr ? name : "?"));
  }
  return broken("it ended without an answer");
}

// What it wrote until it ended; "" and `late` when it did not end in time.
std::string listen(int fd, bool& late) {
  std::string message;
  char buffer[512];
  pollfd watched{fd, POLLIN, 0};
  late = ::poll(&watched, 1, kDeadlineMs) <= 0;
  if (late) return message;
  const ssize_t count = ::read(fd, buffer, sizeof buffer);
  if (count > 0) message.assign(buffer, static_cast<std::size_t>(count));
  return message;
}

void append_escaped(std::string& to, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  to += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      to += "\\u00";
      to += kHex[byte >> 4];
      to += kHex[byte & 15];
    } else {
      to += c;
    }
  }
  to += '"';
}

void append_field(std::string& to, std::string_view name, std::string_view value) {
  if (to.back() != '{') to += ',';
  append_escaped(to, name);
  to += ':';
  append_escaped(to, value);
}

}  // namespace

Answer run_attempt(const Attempt& attempt, const Knowledge& known) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return inapplicable("pipe2: " + error_name());
  const pid_t pid = ::fork();
  if (pid < 0) return inapplicable("fork: " + error_name());
  if (pid == 0) {
    ::setsid();  // no terminal to hang up or to type into, and a group that can be killed whole
    tell(ends[1], attempt.run(known));
    ::_exit(0);
  }
  ::close(ends[1]);
  bool late = false;
  const std::string message = listen(ends[0], late);
  ::close(ends[0]);
  if (late || !message.empty()) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ::kill(-pid, SIGKILL);  // children that it left
  return late ? broken("no answer within 5 s") : heard(message, status);
}

std::string to_json(const Attempt& attempt, const Answer& answer) {
  std::string text = "{";
  append_field(text, "name", attempt.name);
  append_field(text, "outcome", to_string(answer.outcome));
  append_field(text, "answer", answer.text);
  return text + "}";
}

std::string list_as_json() {
  std::string text = "[";
  for (const Attempt& attempt : all_attempts()) {
    if (text.size() > 1) text += ",\n";
    std::string item = "{";
    append_field(item, "name", attempt.name);
    append_field(item, "topic", attempt.topic);
    append_field(item, "what", attempt.what);
    text += item + "}";
  }
  return text + "]\n";
}

}  // namespace granary::walls

#include "base/os/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <array>

#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

constexpr char kCtrlC = '\x03';
// N_TTY's line buffer: of what is typed beyond it the kernel keeps the line's end alone.
constexpr std::size_t kLongestLine = 4095;

// Nothing that is typed is shown, and Ctrl-C is a letter that ends the line, not a signal: that
// would leave the terminal mute behind a process that is gone.
class Hidden final {
 public:
  static Result<std::unique_ptr<Hidden>> begin(int terminal) {
    termios before{};
    if (::tcgetattr(terminal, &before) != 0)
      return fail(Code::NotSupported, "there is no terminal to ask at");
    termios hidden = before;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    hidden.c_lflag |= ECHONL;
    hidden.c_cc[VEOL] = static_cast<cc_t>(kCtrlC);
    TRY(checked("tcsetattr", "terminal",
                [&] { return ::tcsetattr(terminal, TCSAFLUSH, &hidden); }));
    return std::unique_ptr<Hidden>(new Hidden(terminal, before));
  }
  ~Hidden() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  Hidden(int terminal, const termios& before) : terminal_(terminal), before_(before) {}
  int terminal_;
  termios before_;
};

}  // namespace

Result<std::string> read_hidden_line(int terminal) {
  TRY_ASSIGN(const auto hidden, Hidden::begin(terminal));
  // In this mode one read gives at most one line, whole.
  std::array<char, kLongestLine + 1> line{};
  TRY_ASSIGN(const ssize_t count, checked("read", "terminal", [&] {
               return ::read(terminal, line.data(), line.size());
             }));
  std::string text(line.data(), static_cast<std::size_t>(count));
  if (text.ends_with(kCtrlC)) return fail(Code::Cancelled, "interrupted");
  if (text.ends_with('\n')) text.pop_back();
  if (text.size() >= kLongestLine)
    return fail_with_advice(Code::Exhausted, "this is more than a terminal takes as one line",
                            "Give it by a pipe or from a file instead");
  return text;
}

}  // namespace granary::base::os

#include "base/os/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <thread>

#include "base/os/fd.h"

// Over a pseudo-terminal: what a person would type comes in at its other end.
namespace granary::base::os {
namespace {

class TerminalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    keyboard_ = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(keyboard_.open());
    ASSERT_EQ(::grantpt(keyboard_.get()), 0);
    ASSERT_EQ(::unlockpt(keyboard_.get()), 0);
    terminal_ = Fd(::open(::ptsname(keyboard_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal_.open());
  }
  tcflag_t flags() const {
    termios settings{};
    EXPECT_EQ(::tcgetattr(terminal_.get(), &settings), 0);
    return settings.c_lflag;
  }
  // Types once the terminal is mute: what is typed before is thrown away.
  Result<std::string> ask(const std::string& typed) {
    std::jthread person([&] {
      while ((flags() & ECHO) != 0) std::this_thread::yield();
      EXPECT_EQ(::write(keyboard_.get(), typed.data(), typed.size()),
                static_cast<ssize_t>(typed.size()));
    });
    return read_hidden_line(terminal_.get());
  }
  // All that the terminal has shown.
  std::string shown() {
    EXPECT_EQ(::fcntl(keyboard_.get(), F_SETFL, O_NONBLOCK), 0);
    std::string text(4096, '\0');
    const ssize_t count = ::read(keyboard_.get(), text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }

  Fd keyboard_;
  Fd terminal_;
};

TEST_F(TerminalTest, WhatIsTypedIsReadAndNotShown) {
  const tcflag_t before = flags();
  EXPECT_EQ(ask("hunter2\n").value_or("failed"), "hunter2");
  EXPECT_EQ(shown(), "\r\n");
  EXPECT_EQ(flags(), before);
}

TEST_F(TerminalTest, AnEmptyLineIsEmptyAndBackspaceTakesBack) {
  EXPECT_EQ(ask("\n").value_or("failed"), "");
  EXPECT_EQ(ask("ab\x7f"
                "c\n")
                .value_or("failed"),
            "ac");
}

TEST_F(TerminalTest, CtrlCEndsItAtOnceAndLeavesTheTerminalAsItWas) {
  const tcflag_t before = flags();
  const auto asked = ask("hun\x03");
  ASSERT_FALSE(asked.has_value());
  EXPECT_EQ(asked.error().code, Code::Cancelled);
  EXPECT_EQ(flags(), before);
}

TEST_F(TerminalTest, WhatIsNoTerminalIsNotAsked) {
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read_hidden_line(nothing.get()).error().code, Code::NotSupported);
}

}  // namespace
}  // namespace granary::base::os

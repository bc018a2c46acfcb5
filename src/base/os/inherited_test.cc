#include "base/os/inherited.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/os/file.h"

namespace granary::base::os {
namespace {

struct Passed {
  int descriptors = 2;
  const char* count = "2";
  const char* names = "http:admin";
  pid_t extra_pid = 0;  // added to the own one
};

// In a process of its own (EXPECT_EXIT), whose descriptors are this test's to move about.
Result<InheritedFds> taken(const Passed& passed) {
  for (int i = 0; i < passed.descriptors; ++i) {
    // By a high number, so that nothing is closed that has just been put in its place.
    ::dup2(memory_file("passed", std::to_string(i)).value().get(), 500 + i);
    ::dup2(500 + i, 3 + i);
  }
  ::setenv("LISTEN_PID", std::to_string(::getpid() + passed.extra_pid).c_str(), 1);
  ::setenv("LISTEN_FDS", passed.count, 1);
  ::setenv("LISTEN_FDNAMES", passed.names, 1);
  return take_inherited();
}

[[noreturn]] void end(bool well) { ::_exit(well ? 0 : 1); }
const auto kWell = ::testing::ExitedWithCode(0);

bool holds(const InheritedFds& taken, const std::string& name, char content) {
  char byte = 0;
  return ::pread(taken.at(name).get(), &byte, 1, 0) == 1 && byte == content &&
         ::fcntl(taken.at(name).get(), F_GETFD) == FD_CLOEXEC;
}

TEST(InheritedTest, EachDescriptorIsFoundByItsName) {
  EXPECT_EXIT(
      {
        const auto fds = taken({});
        end(fds && fds->size() == 2 && holds(*fds, "http", '0') && holds(*fds, "admin", '1'));
      },
      kWell, "");
}

TEST(InheritedTest, WhatIsMeantForAnotherProcessIsLeftAlone) {
  EXPECT_EXIT(end(taken({.extra_pid = 1}).value().empty() && ::fcntl(3, F_GETFD) == 0), kWell, "");
}

TEST(InheritedTest, NoChildTakesThemForItsOwn) {
  EXPECT_EXIT(
      {
        const auto fds = taken({});
        end(fds && ::getenv("LISTEN_PID") == nullptr && ::getenv("LISTEN_FDS") == nullptr &&
            take_inherited().value().empty());
      },
      kWell, "");
}

TEST(InheritedTest, WhatIsNotNamedOrNamedTwiceIsRefused) {
  for (const char* names : {"", "http", "http:", "http:http", "http:admin:third"}) {
    EXPECT_EXIT(
        {
          const auto fds = taken({.names = names});
          end(!fds && fds.error().code == Code::InvalidArgument);
        },
        kWell, "")
        << names;
  }
}

TEST(InheritedTest, ACountThatIsNoneIsRefused) {
  for (const char* count : {"", "two", "-1", "2x", "99999"}) {
    EXPECT_EXIT(end(!taken({.count = count})), kWell, "") << count;
  }
}

TEST(InheritedTest, ADescriptorThatIsNotThereIsAnError) {
  EXPECT_EXIT(
      {
        ::close_range(3, 100, 0);
        end(!taken({.descriptors = 1}));
      },
      kWell, "");
}

}  // namespace
}  // namespace granary::base::os

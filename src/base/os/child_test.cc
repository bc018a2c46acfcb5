#include "base/os/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

class ChildTest : public ::testing::Test {
 protected:
  // Its exit code.
  int run(std::string script, std::vector<PassedFd> descriptors) {
    const auto child = Child::start(
        context_.get_executor(),
        {.argv = {"/bin/sh", "-c", std::move(script)}, .descriptors = std::move(descriptors)});
    EXPECT_TRUE(child.has_value()) << describe(child.error());
    int code = -1;
    asio::co_spawn(context_, (*child)->wait(),
                   [&](const std::exception_ptr&, const Result<int>& ended) { code = *ended; });
    context_.restart();
    context_.run();
    return code;
  }
  Fd file(const std::string& name, std::string_view text) {
    folder_.write(name, text);
    return std::move(open_file(folder_ / name, O_RDONLY, 0).value());
  }

  granary::base::testing::TemporaryFolder folder_;
  asio::io_context context_;
};

TEST_F(ChildTest, PassedDescriptorsFollowFromThreeOnWithTheirNames) {
  const Fd first = file("first", "1");
  const Fd second = file("second", "2");
  EXPECT_EQ(run("test $LISTEN_FDS:$LISTEN_FDNAMES:$LISTEN_PID = 2:http:admin:$$ && "
                "test $(cat <&3)$(cat <&4) = 12",
                {{"http", first.get()}, {"admin", second.get()}}),
            0);
}

TEST_F(ChildTest, ADescriptorMayHaveTheNumberThatAnotherIsToGet) {
  std::vector<Fd> made;
  std::vector<PassedFd> passed;
  std::string expected;
  // More than the numbers below, so that some of them stand where others are to go.
  for (int i = 0; i < 9; ++i) {
    made.push_back(file(std::to_string(i), std::to_string(i)));
    passed.insert(passed.begin(), {std::to_string(i), made.back().get()});
    expected.insert(0, std::to_string(i));
  }
  std::string read;
  for (int fd = 3; fd < 12; ++fd) read += fmt::format("$(cat /proc/self/fd/{})", fd);
  EXPECT_EQ(run(fmt::format("test {} = {}", read, expected), passed), 0);
}

TEST_F(ChildTest, WithoutDescriptorsItIsToldOfNone) {
  EXPECT_EQ(run("test -z \"$LISTEN_FDS$LISTEN_PID$LISTEN_FDNAMES\"", {}), 0);
}

TEST_F(ChildTest, WhatWasLeftOpenByWhoeverStartedThisProcessIsNotInherited) {
  const Fd first = file("first", "1");
  const Fd stray(::open("/dev/null", O_RDONLY));
  // 4 is the folder that the shell itself looks at.
  EXPECT_EQ(run("test \"$(cd /proc/self/fd && echo *)\" = '0 1 2 3 4'", {{"http", first.get()}}),
            0);
}

TEST_F(ChildTest, AProgramThatIsMissingIsAnErrorAlsoWhereDescriptorsArePassed) {
  const Fd first = file("first", "1");
  const auto child =
      Child::start(context_.get_executor(),
                   {.argv = {"/no/such/program"}, .descriptors = {{"http", first.get()}}});
  ASSERT_FALSE(child.has_value());
  EXPECT_EQ(child.error().code, Code::NotFound);
}

}  // namespace
}  // namespace granary::base::os

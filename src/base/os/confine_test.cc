#include "base/os/confine.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

// In a child of its own: there is no way back. Its exit code: 0 when `body` held.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class ConfineTest : public ::testing::Test {
 protected:
  ConfineTest() {
    for (const char* name : {"/mine", "/read", "/other"}) {
      EXPECT_TRUE(make_folders(folder_.path() + name, 0755));
      EXPECT_TRUE(replace_file(folder_.path() + name + "/f", "x", 0644, Durability::Cached));
    }
  }
  bool can_read(const std::string& name) const {
    return read_file(folder_.path() + name, 10).has_value();
  }
  bool can_write(const std::string& name) const {
    return replace_file(folder_.path() + name, "y", 0644, Durability::Cached).has_value();
  }
  Result<void> confine() const {
    return confine_files({{folder_.path() + "/mine", Access::ReadWrite},
                          {folder_.path() + "/read", Access::Read},
                          {folder_.path() + "/missing", Access::Read}});
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ConfineTest, OnlyWhatIsAllowedCanBeOpened) {
  if (in_child([] { return confine_files({}).has_value(); }) != 0)
    GTEST_SKIP() << "this kernel has no landlock";
  EXPECT_EQ(in_child([&] {
              return confine() && can_read("/mine/f") && can_write("/mine/f") &&
                     can_write("/mine/new") && can_read("/read/f");
            }),
            0);
  EXPECT_EQ(in_child([&] { return confine() && can_write("/read/f"); }), 1);
  EXPECT_EQ(in_child([&] { return confine() && can_read("/other/f"); }), 1);
  EXPECT_EQ(in_child([&] { return confine() && can_write("/other/new"); }), 1);
  // The wall taken away.
  EXPECT_EQ(in_child([&] { return can_read("/other/f") && can_write("/read/f"); }), 0);
}

TEST_F(ConfineTest, AFilterOfNothingIsRefused) {
  const auto empty = memory_file("filter", "");
  ASSERT_TRUE(empty.has_value());
  EXPECT_FALSE(confine_calls(*empty).has_value());
}

}  // namespace
}  // namespace granary::base::os

#include "agent/init/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace granary::init {
namespace {

std::vector<std::string> texts_of(char** list) {
  std::vector<std::string> texts;
  for (; *list != nullptr; ++list) texts.emplace_back(*list);
  return texts;
}

class InitEnvironmentTest : public testing::Test {
 protected:
  char path_[8] = "PATH=/";
  char port_[8] = "PORT=1";
  char port_old_[16] = "PORT_OLD=3";
  char* inherited_[4] = {path_, port_, port_old_, nullptr};
  Environment environment_{inherited_};
};

TEST_F(InitEnvironmentTest, KeepsWhatItWasGiven) {
  EXPECT_THAT(texts_of(environment_.data()),
              testing::ElementsAre("PATH=/", "PORT=1", "PORT_OLD=3"));
}

TEST_F(InitEnvironmentTest, ReplacesByNameAndAddsWhatIsNew) {
  char port[] = "PORT=8080";
  char fds[] = "LISTEN_FDS=1";
  environment_.set(port);
  environment_.set(fds);
  EXPECT_THAT(texts_of(environment_.data()),
              testing::ElementsAre("PATH=/", "PORT=8080", "PORT_OLD=3", "LISTEN_FDS=1"));
}

TEST_F(InitEnvironmentTest, RemovesByWholeNameOnly) {
  environment_.remove("PORT");
  environment_.remove("NOT_THERE");
  EXPECT_THAT(texts_of(environment_.data()), testing::ElementsAre("PATH=/", "PORT_OLD=3"));
}

}  // namespace
}  // namespace granary::init

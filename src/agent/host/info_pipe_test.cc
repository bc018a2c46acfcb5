#include "agent/host/info_pipe.h"

#include <gtest/gtest.h>

namespace granary::agent {
namespace {

TEST(InfoPipeTest, TheChildIsToldOnlyOnceTheDocumentIsWhole) {
  const std::string document = "{\n    \"child-pid\": 4711,\n    \"net-namespace\": 42\n}\n";
  for (std::size_t length = 0; length + 2 < document.size(); ++length)
    EXPECT_FALSE(child_pid_in(document.substr(0, length)).has_value()) << length;
  EXPECT_EQ(child_pid_in(document), 4711);
}

TEST(InfoPipeTest, WhatNamesNoChildTellsNone) {
  EXPECT_FALSE(child_pid_in("{}").has_value());
  EXPECT_FALSE(child_pid_in("{\"child-pid\": -1}").has_value());
  EXPECT_FALSE(child_pid_in("{\"child-pid\": x}").has_value());
}

}  // namespace
}  // namespace granary::agent

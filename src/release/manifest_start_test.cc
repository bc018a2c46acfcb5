// What of a manifest could never run is refused, where it was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "release/manifest.h"

namespace granary::release {
namespace {

using base::Code;
using ::testing::HasSubstr;

base::Error refusal_of(std::string_view yaml) {
  auto parsed = parse_manifest(yaml, "granary.yaml");
  EXPECT_FALSE(parsed.has_value());
  return parsed ? base::Error{} : parsed.error();
}

TEST(ManifestStartTest, AServiceThatNothingStartsIsRefusedAtItsName) {
  for (const char* routes : {"", ", routes: []"}) {
    const base::Error error = refusal_of(fmt::format(
        "app: a\nservices:\n  api: {{command: [x], routes: [/]}}\n  worker: {{command: [y]{}}}\n",
        routes));
    EXPECT_EQ(error.code, Code::InvalidArgument);
    EXPECT_EQ(error.message,
              "granary.yaml:4:3: services.worker has no routes, so nothing would ever start it");
    EXPECT_THAT(error.advice, HasSubstr("routes: [/]"));
    EXPECT_THAT(error.advice, HasSubstr("not supported yet"));
  }
}

TEST(ManifestStartTest, WhatAnEarlierVersionStoredWithoutRoutesIsStillRead) {
  auto manifest = parse_manifest("app: a\nservices: {x: {command: [x], routes: [/]}}", "f");
  ASSERT_TRUE(manifest.has_value());
  manifest->services[0].routes.clear();
  EXPECT_EQ(*manifest_from_json(to_json(*manifest)), *manifest);
}

TEST(ManifestStartTest, AFrontendAloneIsAnApp) {
  const auto parsed = parse_manifest("app: a\nfrontend: {root: web}\n", "f");
  ASSERT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  EXPECT_TRUE(parsed->services.empty());
  EXPECT_EQ(*manifest_from_json(to_json(*parsed)), *parsed);
}

}  // namespace
}  // namespace granary::release

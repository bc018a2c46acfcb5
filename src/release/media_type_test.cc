#include "release/media_type.h"

#include <gtest/gtest.h>

namespace granary::release {
namespace {

TEST(MediaTypeTest, TheEndingDecidesWhateverItsCase) {
  EXPECT_EQ(media_type("index.html").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(media_type("assets/APP.JS").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(media_type("a.tar.gz").content_type, "application/gzip");
  EXPECT_EQ(media_type("logo.svg").compressible, Compressible::Yes);
  EXPECT_EQ(media_type("photo.jpg").compressible, Compressible::No);
}

TEST(MediaTypeTest, WhatIsNotKnownIsNeverRun) {
  for (const char* name : {"LICENSE", "a.b/c", "x.exe", "", "."})
    EXPECT_EQ(media_type(name).content_type, "application/octet-stream") << name;
}

TEST(ContentHashTest, NamesThatBundlersWriteAreRecognised) {
  for (const char* name :
       {"app.1f2e3d4c.js", "style.2940257a.css", "main.8d5f0c2b9a7e4f61a2b3.chunk.js",
        "main-8d5f0c2b9a7e.js", "index-BkH3d9aQ.js", "index-DiwrgTda.css", "vendor-a1B_c-D2.js",
        "logo.12345678.svg"}) {
    EXPECT_TRUE(holds_content_hash(name)) << name;
  }
}

TEST(ContentHashTest, WordsDatesAndVersionsAreNoHashes) {
  for (const char* name :
       {"index.html", "chart-overview.js", "app-Settings.js", "jquery-3.7.1.min.js", "sw.js",
        "report.20260131.csv", "export-20260131.csv", "deadbeef.js", "app.effaced0", "feedback.js",
        "1f2e3d4c", ".1f2e3d4", "main.abcdefab.js", "x-12345678"}) {
    EXPECT_FALSE(holds_content_hash(name)) << name;
  }
}

}  // namespace
}  // namespace granary::release

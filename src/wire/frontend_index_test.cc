#include "wire/frontend_index.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

FrontendIndex sample() {
  FrontendIndex index;
  index.fallback = "/index.html";
  index.assets["/index.html"] = {.blob = std::string(64, 'a'),
                                 .type = "text/html; charset=utf-8",
                                 .bytes = 12,
                                 .etag = "0123",
                                 .brotli = std::string(64, 'b')};
  index.assets["/caf\xc3\xa9.1f2e3d4c.js"] = {.blob = std::string(64, 'c'),
                                              .type = "text/javascript; charset=utf-8",
                                              .bytes = 5'000'000'000,
                                              .etag = "4567",
                                              .caching = Caching::Immutable,
                                              .gzip = std::string(64, 'd')};
  return index;
}

TEST(FrontendIndexTest, WhatIsWrittenIsReadBack) {
  EXPECT_EQ(*decode_frontend_index(encode(sample())), sample());
  EXPECT_EQ(*decode_frontend_index(encode({})), FrontendIndex{});
}

TEST(FrontendIndexTest, NothingButABlobsNameIsTakenAsAFileName) {
  FrontendIndex index = sample();
  index.assets["/index.html"].brotli = "../../etc/passwd";
  EXPECT_FALSE(decode_frontend_index(encode(index)).has_value());
}

TEST(FrontendIndexTest, AHeaderCannotBeForged) {
  for (const char* text :
       {"x\r\nSet-Cookie: a=b", "x\n", "\tx", "x\x7f", "a\", \"b", "caf\xc3\xa9"}) {
    FrontendIndex index = sample();
    index.assets["/index.html"].type = text;
    EXPECT_FALSE(decode_frontend_index(encode(index)).has_value()) << text;
    index = sample();
    index.assets["/index.html"].etag = text;
    EXPECT_FALSE(decode_frontend_index(encode(index)).has_value()) << text;
  }
}

TEST(FrontendIndexTest, WhatIsNoIndexIsRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"assets": []})", R"({"assets": {"x": {}}})", R"({"assets": {"/x": 1}})",
        R"({"assets": {"/x": {}}})", R"({"fallback": "/y", "assets": {}})"}) {
    EXPECT_FALSE(decode_frontend_index(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace granary::wire

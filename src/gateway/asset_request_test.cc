#include "gateway/asset_request.h"

#include <gtest/gtest.h>

namespace granary::gateway {
namespace {

wire::FrontendIndex sample() {
  wire::FrontendIndex index{.fallback = "/index.html"};
  index.assets["/index.html"] = {
      .blob = "page", .type = "text/html; charset=utf-8", .bytes = 9, .etag = "p1"};
  index.assets["/app.1f2e.js"] = {.blob = "script",
                                  .type = "text/javascript",
                                  .bytes = 90,
                                  .etag = "s1",
                                  .caching = wire::Caching::Immutable,
                                  .brotli = "script-br",
                                  .gzip = "script-gz"};
  index.assets["/a b/ü.txt"] = {.blob = "text", .type = "text/plain", .etag = "t1"};
  index.assets["/docs/index.html"] = {.blob = "docs", .type = "text/html", .etag = "d1"};
  return index;
}

class AssetTest : public testing::Test {
 protected:
  AssetAnswer ask(std::string_view path, std::string_view fields = "",
                  std::string_view method = "GET") {
    request_.clear();
    request_.text =
        std::string(method) + " " + std::string(path) + " HTTP/1.1\r\n" + std::string(fields);
    request_.method_size = static_cast<std::uint32_t>(method.size());
    request_.target_size = static_cast<std::uint32_t>(path.size());
    if (method == "GET") request_.method = Method::Get;
    if (method == "HEAD") request_.method = Method::Head;
    return answer_asset(index_, request_);
  }
  std::string field(const AssetAnswer& answer, std::string_view name) {
    return std::string(find_field("HTTP/1.1 200 OK\r\n" + answer.fields, name));
  }

  wire::FrontendIndex index_ = sample();
  RequestHead request_;
};

TEST_F(AssetTest, AFileIsFoundByItsExactDecodedPath) {
  EXPECT_EQ(ask("/index.html").blob, "page");
  EXPECT_EQ(ask("/index.html?v=1").blob, "page");
  EXPECT_EQ(ask("/a%20b/%C3%BC.txt").blob, "text");
  EXPECT_EQ(ask("/%69ndex.html").blob, "page");
  EXPECT_EQ(ask("/docs/").blob, "docs");
  EXPECT_EQ(ask("/index.html", "", "HEAD").status, 200);
}

TEST_F(AssetTest, NoPathLeadsOutOfTheIndex) {
  for (const std::string_view path :
       {"/../index.html", "/x/../index.html", "//index.html", "/./index.html", "/%2e%2e/index.html",
        "/docs%2Findex.html", "/index.html%00", "/%", "/%4", "/%zz.js", "/..\\index.html",
        "/..%5cindex.html", "/etc/passwd.txt", "/blobs/page.x"})
    EXPECT_EQ(ask(path).status, 404) << path;
}

TEST_F(AssetTest, OnlyANavigationFallsBackToThePage) {
  EXPECT_EQ(ask("/").blob, "page");
  EXPECT_EQ(ask("/scans/42").blob, "page");
  EXPECT_EQ(ask("/scans/4.2", "Accept: text/html,*/*\r\n").blob, "page");
  EXPECT_EQ(ask("/gone.js", "Accept: */*\r\n").status, 404);
  EXPECT_EQ(ask("/scans", "", "POST").status, 405);
  index_.fallback.clear();
  EXPECT_EQ(ask("/scans").status, 404);
}

TEST_F(AssetTest, HashedFilesAreCachedForEverAndOthersAskedForAgain) {
  EXPECT_EQ(field(ask("/app.1f2e.js"), "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(field(ask("/index.html"), "Cache-Control"), "no-cache");
  EXPECT_EQ(field(ask("/scans/42"), "Cache-Control"), "no-cache");
  EXPECT_EQ(field(ask("/index.html"), "X-Content-Type-Options"), "nosniff");
}

TEST_F(AssetTest, EachEncodingHasItsOwnTag) {
  const AssetAnswer plain = ask("/app.1f2e.js");
  const AssetAnswer brotli = ask("/app.1f2e.js", "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(field(plain, "ETag"), "\"s1\"");
  EXPECT_EQ(field(brotli, "ETag"), "\"s1-br\"");
  EXPECT_EQ(brotli.blob, "script-br");
  EXPECT_EQ(field(brotli, "Content-Encoding"), "br");
  EXPECT_EQ(field(plain, "Content-Encoding"), "");
  EXPECT_EQ(field(plain, "Vary"), "Accept-Encoding");
  EXPECT_EQ(field(ask("/index.html"), "Vary"), "");
}

TEST_F(AssetTest, WhatTheClientHasIsNotSentAgain) {
  for (const std::string_view tags : {"\"p1\"", "W/\"p1\"", "\"x\", \"p1\"", "*"}) {
    const AssetAnswer answer = ask("/", "If-None-Match: " + std::string(tags) + "\r\n");
    EXPECT_EQ(answer.status, 304) << tags;
    EXPECT_EQ(field(answer, "ETag"), "\"p1\"");
    EXPECT_EQ(field(answer, "Content-Type"), "");
  }
  EXPECT_EQ(ask("/", "If-None-Match: \"p2\"\r\n").status, 200);
  EXPECT_EQ(ask("/app.1f2e.js", "Accept-Encoding: br\r\nIf-None-Match: \"s1\"\r\n").status, 200);
}

TEST_F(AssetTest, TheClientsWeightsDecideTheEncoding) {
  const Available both{.brotli = true, .gzip = true};
  EXPECT_EQ(choose_coding("", both), Coding::Identity);
  EXPECT_EQ(choose_coding("gzip, deflate, br", both), Coding::Brotli);
  EXPECT_EQ(choose_coding("gzip", both), Coding::Gzip);
  EXPECT_EQ(choose_coding("gzip;q=1.0, br;q=0.5", both), Coding::Gzip);
  EXPECT_EQ(choose_coding("br;q=0, gzip;q=0", both), Coding::Identity);
  EXPECT_EQ(choose_coding("br;q=0.000, GZIP ; q=0.001", both), Coding::Gzip);
  EXPECT_EQ(choose_coding("*", both), Coding::Brotli);
  EXPECT_EQ(choose_coding("*, br;q=0", both), Coding::Gzip);
  EXPECT_EQ(choose_coding("identity", both), Coding::Identity);
  EXPECT_EQ(choose_coding("br;x=1", both), Coding::Identity);
  EXPECT_EQ(choose_coding("br, gzip", {.gzip = true}), Coding::Gzip);
  EXPECT_EQ(choose_coding("br, gzip", {}), Coding::Identity);
}

}  // namespace
}  // namespace granary::gateway

#include "release/frontend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"
#include "wire/frontend_index.h"

namespace granary::release {
namespace {

using base::Code;
using base::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

class FrontendTest : public ::testing::Test {
 protected:
  base::Result<FrontendInfo> build(const std::string& fallback = "index.html") {
    return build_frontend(app_.path(), {"web", fallback}, target(), limits_);
  }
  base::Error refusal(const std::string& fallback = "index.html") {
    auto built = build(fallback);
    EXPECT_FALSE(built.has_value());
    EXPECT_FALSE(base::os::exists(target())) << "left behind after a failure";
    return built ? base::Error{} : built.error();
  }
  std::string target() const { return out_ / "frontend"; }
  std::string read(const std::string& name) const {
    return base::os::read_file(target() + "/" + name, 1 << 20).value_or("(none)");
  }
  wire::FrontendIndex index() const { return *wire::decode_frontend_index(read("index.json")); }

  TemporaryFolder app_;
  TemporaryFolder out_;
  FrontendLimits limits_ = default_frontend_limits();
};

TEST_F(FrontendTest, EachFileIsABlobNamedByItsHash) {
  const std::string page = "<!doctype html>" + std::string(2000, ' ');
  app_.write("web/index.html", page);
  app_.write("web/assets/app.1f2e3d4c.js", "let a;");
  app_.write("outside.txt", "not delivered");
  const auto info = build();
  ASSERT_TRUE(info.has_value()) << base::describe(info.error());
  EXPECT_EQ(info->assets, 2U);
  EXPECT_EQ(info->bytes, page.size() + 6);

  const wire::FrontendIndex index = this->index();
  EXPECT_EQ(index.fallback, "/index.html");
  EXPECT_THAT(index.assets, ElementsAre(Key("/assets/app.1f2e3d4c.js"), Key("/index.html")));
  const wire::FrontendAsset& html = index.assets.at("/index.html");
  EXPECT_EQ(html.blob, base::sha256_hex(page));
  EXPECT_EQ(html.bytes, page.size());
  EXPECT_EQ(html.etag, html.blob.substr(0, 32));
  EXPECT_EQ(html.type, "text/html; charset=utf-8");
  EXPECT_EQ(html.caching, wire::Caching::Revalidate);
  EXPECT_EQ(index.assets.at("/assets/app.1f2e3d4c.js").caching, wire::Caching::Immutable);
  EXPECT_EQ(read("blobs/" + html.blob), page);
  for (const std::string& encoded : {html.brotli, html.gzip}) {
    EXPECT_EQ(base::sha256_hex(read("blobs/" + encoded)), encoded);
    EXPECT_LT(read("blobs/" + encoded).size(), 200U);
  }
}

TEST_F(FrontendTest, WhatWouldNotShrinkIsNotEncoded) {
  base::testing::SeededRng rng(3);
  std::string noise(4000, '\0');
  for (char& c : noise) c = static_cast<char>(rng.next());
  app_.write("web/noise.js", noise);
  app_.write("web/small.js", "let a;");
  app_.write("web/photo.png", std::string(4000, 'x'));
  ASSERT_TRUE(build("").has_value());
  for (const auto& [path, asset] : index().assets) {
    EXPECT_EQ(asset.brotli, "") << path;
    EXPECT_EQ(asset.gzip, "") << path;
  }
  EXPECT_EQ(index().fallback, "");
}

TEST_F(FrontendTest, EqualFilesShareABlob) {
  app_.write("web/a.bin", "same");
  app_.write("web/b.bin", "same");
  ASSERT_TRUE(build("").has_value());
  EXPECT_EQ(base::os::list_folder(target() + "/blobs")->size(), 1U);
  EXPECT_EQ(index().assets.size(), 2U);
}

TEST_F(FrontendTest, HiddenFilesStayHiddenButForWellKnown) {
  app_.write("web/.env", "SECRET=1");
  app_.write("web/.well-known/security.txt", "Contact: x");
  app_.write("web/sub/.htpasswd", "x");
  ASSERT_TRUE(build("").has_value());
  EXPECT_THAT(index().assets, ElementsAre(Key("/.well-known/security.txt")));
}

TEST_F(FrontendTest, EverythingIsReadableByAnotherUser) {
  const mode_t before = ::umask(077);
  app_.write("web/index.html", "x", 0600);
  const auto built = build();
  ::umask(before);
  ASSERT_TRUE(built.has_value());
  const auto mode = [&](const std::string& path) {
    struct stat found{};
    EXPECT_EQ(::stat((target() + path).c_str(), &found), 0) << path;
    return found.st_mode & 07777;
  };
  EXPECT_EQ(mode(""), 0755U);
  EXPECT_EQ(mode("/blobs"), 0755U);
  EXPECT_EQ(mode("/index.json"), 0644U);
  EXPECT_EQ(mode("/blobs/" + base::sha256_hex("x")), 0644U);
}

TEST_F(FrontendTest, LinksAreRefused) {
  app_.write("web/index.html", "x");
  ASSERT_EQ(::symlink("index.html", (app_ / "web/link").c_str()), 0);
  EXPECT_THAT(refusal().message, HasSubstr("'link' in the frontend is a link"));
}

TEST_F(FrontendTest, ARootThatIsALinkIsRefused) {
  app_.write("real/index.html", "x");
  ASSERT_EQ(::symlink("real", (app_ / "web").c_str()), 0);
  EXPECT_EQ(refusal().code, Code::Refused);
}

TEST_F(FrontendTest, AFallbackThatIsNotDeliveredIsRefused) {
  app_.write("web/index.html", "x");
  app_.write("web/.hidden.html", "x");
  EXPECT_EQ(refusal("200.html").code, Code::InvalidArgument);
  EXPECT_EQ(refusal(".hidden.html").code, Code::InvalidArgument);
}

TEST_F(FrontendTest, BoundsAreHeld) {
  app_.write("web/a", "12345");
  app_.write("web/b", "1");
  limits_ = {.assets = 1, .asset_bytes = 100};
  EXPECT_EQ(refusal("").code, Code::Exhausted);
  limits_ = {.assets = 10, .asset_bytes = 4};
  EXPECT_EQ(refusal("").code, Code::Exhausted);
}

TEST_F(FrontendTest, TheSameFilesGiveTheSameIndex) {
  app_.write("web/index.html", std::string(1000, 'x'));
  app_.write("web/z.css", std::string(1000, 'y'));
  ASSERT_TRUE(build().has_value());
  const std::string first = read("index.json");
  ASSERT_TRUE(base::os::remove_tree(target()).has_value());
  ASSERT_TRUE(build().has_value());
  EXPECT_EQ(read("index.json"), first);
}

}  // namespace
}  // namespace granary::release

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/os/file.h"
#include "base/os/folder.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"
#include "wire/bundle.h"
#include "wire/testing/bundle_builder.h"

namespace granary::wire {
namespace {

using base::Code;
using base::os::exists;
using base::testing::TemporaryFolder;
using testing::BundleBuilder;
using ::testing::HasSubstr;

class UnpackTest : public ::testing::Test {
 protected:
  std::string target() const { return folder_ / "target"; }
  base::Result<BundleInfo> extract_it(const std::string& bundle, const BundleLimits& limits = {}) {
    folder_.write("bundle", bundle);
    return extract(folder_ / "bundle", target(), limits);
  }
  // Extracts what must be refused, and checks that nothing is left of it.
  base::Error refusal(const std::string& bundle, const BundleLimits& limits = {}) {
    auto extracted = extract_it(bundle, limits);
    EXPECT_FALSE(extracted.has_value());
    EXPECT_FALSE(exists(target())) << "left behind after a failure";
    return extracted ? base::Error{} : extracted.error();
  }
  std::string content(const std::string& path) const {
    return base::os::read_file(target() + "/" + path, 1 << 20).value_or("(none)");
  }
  mode_t mode(const std::string& path) const {
    struct stat found{};
    EXPECT_EQ(::lstat((target() + "/" + path).c_str(), &found), 0) << path;
    return found.st_mode & 07777;
  }

  TemporaryFolder folder_;
};

TEST_F(UnpackTest, WhatWasPackedComesOutWithItsHash) {
  TemporaryFolder app;
  const std::string long_name(200, 'n');
  app.write("a/run", "#!/bin/sh\n", 0700);
  app.write("a/" + long_name, std::string(300'000, 'z'));
  app.write("empty", "");
  ASSERT_EQ(::symlink(("a/" + long_name).c_str(), (app / "link").c_str()), 0);
  const auto packed = pack(app.path(), folder_ / "packed", {});
  ASSERT_TRUE(packed.has_value());

  const mode_t before = ::umask(077);
  const auto extracted = extract(folder_ / "packed", target(), {});
  ::umask(before);
  ASSERT_TRUE(extracted.has_value()) << base::describe(extracted.error());
  EXPECT_EQ(*extracted, packed->bundle);
  EXPECT_EQ(content("a/run"), "#!/bin/sh\n");
  EXPECT_EQ(content("link"), std::string(300'000, 'z'));
  EXPECT_EQ(mode("a"), 0755U);
  EXPECT_EQ(mode("a/run"), 0755U);
  EXPECT_EQ(mode("empty"), 0644U);
}

TEST_F(UnpackTest, AnotherTarsArchiveIsTakenAndItsModesAreNormalised) {
  const std::string name = "caf\xc3\xa9";
  BundleBuilder builder(BundleBuilder::Format::Pax);
  builder.folder("d/", 0700).file("d/" + name, "x", 0600).file("d/run", "y", 0111);
  ASSERT_TRUE(extract_it(builder.bundle()).has_value());
  EXPECT_EQ(content("d/" + name), "x");
  EXPECT_EQ(mode("d"), 0755U);
  EXPECT_EQ(mode("d/" + name), 0644U);
  EXPECT_EQ(mode("d/run"), 0755U);
}

TEST_F(UnpackTest, PathsThatLeaveAreRefused) {
  for (const char* path : {"/etc/cron.d/x", "../x", "a/../../x", "./x", "a//x", "..", "."}) {
    EXPECT_EQ(refusal(BundleBuilder().file(path, "x").bundle()).code, Code::InvalidArgument)
        << path;
  }
  EXPECT_FALSE(exists(folder_ / "x"));
}

TEST_F(UnpackTest, LinksThatLeaveAreRefused) {
  for (const char* to : {"/etc", "..", "../x", "a/../../x", "a/.."}) {
    EXPECT_EQ(refusal(BundleBuilder().link("l", to).bundle()).code, Code::InvalidArgument) << to;
  }
}

TEST_F(UnpackTest, NothingIsWrittenThroughALink) {
  BundleBuilder builder;
  builder.folder("real").link("l", "real").file("l/x", "x");
  EXPECT_THAT(refusal(builder.bundle()).message, HasSubstr("no such folder"));
  BundleBuilder over;
  over.folder("real").link("l", "real/x").file("l", "x");
  EXPECT_THAT(refusal(over.bundle()).message, HasSubstr("twice"));
}

TEST_F(UnpackTest, DevicesPipesHardLinksAndSetuidAreRefused) {
  EXPECT_THAT(refusal(BundleBuilder().device("null").bundle()).message, HasSubstr("device node"));
  EXPECT_THAT(refusal(BundleBuilder().fifo("p").bundle()).message, HasSubstr("named pipe"));
  EXPECT_THAT(refusal(BundleBuilder().file("a", "").hard_link("b", "a").bundle()).message,
              HasSubstr("hard link"));
  EXPECT_THAT(refusal(BundleBuilder().file("su", "", 04755).bundle()).message, HasSubstr("setuid"));
}

TEST_F(UnpackTest, StrangeNamesAreRefused) {
  EXPECT_THAT(refusal(BundleBuilder().file("caf\xe9", "").bundle()).message,
              HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal(BundleBuilder().file("a\nb", "").bundle()).message, HasSubstr("control"));
}

TEST_F(UnpackTest, EntriesComeOnceAndAfterTheirFolder) {
  EXPECT_THAT(refusal(BundleBuilder().file("a", "1").file("a", "2").bundle()).message,
              HasSubstr("'a' twice"));
  EXPECT_THAT(refusal(BundleBuilder().folder("a").folder("a").bundle()).message,
              HasSubstr("'a' twice"));
  EXPECT_THAT(refusal(BundleBuilder().file("a/b", "1").bundle()).message,
              HasSubstr("no such folder"));
}

TEST_F(UnpackTest, BombsAreStoppedAtTheBound) {
  const BundleLimits small{.entries = 10, .file_bytes = 1 << 20, .total_bytes = 2 << 20};
  EXPECT_EQ(refusal(BundleBuilder().zeros("z", 32 << 20).bundle(), small).code, Code::Exhausted);
  BundleBuilder sum;
  for (int i = 0; i < 3; ++i) sum.zeros("z" + std::to_string(i), 1 << 20);
  EXPECT_EQ(refusal(sum.bundle(), small).code, Code::Exhausted);
  BundleBuilder many;
  for (int i = 0; i < 100; ++i) many.file("f" + std::to_string(i), "");
  EXPECT_EQ(refusal(many.bundle(), small).code, Code::Exhausted);
}

TEST_F(UnpackTest, ABombOfNothingButPaddingIsStopped) {
  // After the archive's end come 64 MiB of zeros, in a few kilobytes of zstd.
  const std::string bomb =
      testing::in_zstd_frame(BundleBuilder().file("a", "").tar() + std::string(64 << 20, '\0'));
  EXPECT_LT(bomb.size(), 10'000U);
  const BundleLimits small{.entries = 10, .total_bytes = 1 << 20};
  EXPECT_EQ(refusal(bomb, small).code, Code::Exhausted);
}

TEST_F(UnpackTest, MoreEntriesThanTheLimitEndThere) {
  BundleBuilder many;
  for (int i = 0; i < 600; ++i) many.folder(std::to_string(i));
  const base::Error error = refusal(many.bundle(), {.entries = 500});
  EXPECT_EQ(error.code, Code::Exhausted);
  EXPECT_THAT(error.message, HasSubstr("more than 500"));
}

TEST_F(UnpackTest, WhatIsNoBundleIsRefused) {
  const std::string good = BundleBuilder().file("a", "content").bundle();
  EXPECT_EQ(refusal("").code, Code::InvalidArgument);
  EXPECT_EQ(refusal("PK\x03\x04 a zip").code, Code::InvalidArgument);
  EXPECT_EQ(refusal(BundleBuilder().file("a", "").tar()).code, Code::InvalidArgument);
  EXPECT_EQ(refusal(testing::in_zstd_frame("no tar")).code, Code::InvalidArgument);
  EXPECT_EQ(refusal(good.substr(0, good.size() - 1)).code, Code::InvalidArgument);
  EXPECT_EQ(refusal(good + "x").code, Code::InvalidArgument);
  EXPECT_EQ(refusal(good + good).code, Code::InvalidArgument);
}

TEST_F(UnpackTest, DamagedBundlesAreRefusedOrHaveAnotherHash) {
  BundleBuilder builder;
  builder.folder("d").file("d/f", std::string(2000, 'f')).link("l", "d/f").file("x", "abc", 0755);
  const std::string good = builder.tar();
  const std::string hash = base::sha256_hex(good);
  base::testing::SeededRng rng(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips)
      bad[rng.below(bad.size())] = static_cast<char>(rng.next());
    if (bad == good) continue;
    auto extracted = extract_it(testing::in_zstd_frame(bad));
    EXPECT_TRUE(!extracted || extracted->hash != hash) << "round " << round;
    ASSERT_EQ(base::os::list_folder(folder_.path())->size(), extracted ? 2U : 1U);
    ASSERT_TRUE(base::os::remove_tree(target()).has_value());
  }
}

TEST_F(UnpackTest, UnpackingTwiceIsUnpackingOnce) {
  const std::string tar = BundleBuilder().file("a", "1").tar();
  const std::string hash = base::sha256_hex(tar);
  folder_.write("bundle", testing::in_zstd_frame(tar));
  ASSERT_TRUE(unpack(folder_ / "bundle", target(), hash, {}).has_value());
  ASSERT_TRUE(unpack(folder_ / "bundle", target(), hash, {}).has_value());
  EXPECT_EQ(content("a"), "1");
  EXPECT_FALSE(exists(target() + ".unpacking"));
}

TEST_F(UnpackTest, WhatAKilledUnpackLeftIsReplaced) {
  const std::string tar = BundleBuilder().file("a", "1").tar();
  folder_.write("bundle", testing::in_zstd_frame(tar));
  folder_.write("target.unpacking/b", "half");
  ASSERT_TRUE(unpack(folder_ / "bundle", target(), base::sha256_hex(tar), {}).has_value());
  EXPECT_EQ(content("a"), "1");
  EXPECT_EQ(content("b"), "(none)");
}

TEST_F(UnpackTest, AnotherHashThanExpectedIsDataLoss) {
  folder_.write("bundle", BundleBuilder().file("a", "1").bundle());
  auto unpacked = unpack(folder_ / "bundle", target(), std::string(64, '0'), {});
  ASSERT_FALSE(unpacked.has_value());
  EXPECT_EQ(unpacked.error().code, Code::DataLoss);
  EXPECT_FALSE(exists(target()));
  EXPECT_FALSE(exists(target() + ".unpacking"));
}

TEST_F(UnpackTest, AnExistingTargetIsNotExtractedInto) {
  folder_.write("target/mine", "keep");
  auto extracted = extract_it(BundleBuilder().file("a", "1").bundle());
  ASSERT_FALSE(extracted.has_value());
  EXPECT_EQ(extracted.error().code, Code::AlreadyExists);
  EXPECT_EQ(content("mine"), "keep");
}

}  // namespace
}  // namespace granary::wire

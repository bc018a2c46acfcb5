#include "archive/tenant_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::archive {
namespace {

using base::Code;
using base::Result;
using base::json::object;
using ::testing::HasSubstr;

class TenantArchiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    put("release", std::string(70'000, 'r'));
    put("data", std::string(3'000'000, 'd'));
    object document;
    document["tenant"] = "acme";
    object data;
    data["files"] = 3;
    document["data"] = std::move(data);
    ASSERT_TRUE(write(path("a.tar"), document, {path("release"), path("data")}).has_value());
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  void put(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(
        base::os::replace_file(path(name), bytes, 0600, base::os::Durability::Cached).has_value());
  }
  std::string bytes_of(const std::string& name) const {
    return base::os::read_file(path(name), 64U << 20).value_or("");
  }
  // The archive with something changed in it.
  void alter(const std::string& from, const std::string& to) {
    std::string bytes = bytes_of("a.tar");
    const std::size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos);
    put("b.tar", bytes.replace(at, from.size(), to));
  }

  base::testing::TemporaryFolder folder_;
};

TEST_F(TenantArchiveTest, WhatGoesInComesOut) {
  const auto document = extract(path("a.tar"), {path("r"), path("d")});
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->at("tenant").as_string(), "acme");
  EXPECT_EQ(document->at("format").as_int64(), 1);
  EXPECT_EQ(document->at("data").as_object().at("files").as_int64(), 3);
  EXPECT_EQ(bytes_of("r"), bytes_of("release"));
  EXPECT_EQ(bytes_of("d"), bytes_of("data"));
  EXPECT_EQ(read_document(path("a.tar")), *document);
  EXPECT_EQ(check(path("a.tar")), *document);
}

TEST_F(TenantArchiveTest, EqualPartsGiveEqualArchives) {
  const auto first = measure(path("a.tar"));
  SetUp();
  EXPECT_EQ(measure(path("a.tar"))->sha256, first->sha256);
  EXPECT_EQ(first->sha256, base::sha256_hex(bytes_of("a.tar")));
}

TEST_F(TenantArchiveTest, OneWithoutAReleaseIsWhole) {
  ASSERT_TRUE(write(path("c.tar"), {}, {"", path("data")}).has_value());
  const auto document = extract(path("c.tar"), {path("r"), path("d")});
  ASSERT_TRUE(document.has_value());
  EXPECT_FALSE(base::os::exists(path("r")));
  EXPECT_EQ(bytes_of("d"), bytes_of("data"));
}

TEST_F(TenantArchiveTest, OneThatIsCutOffIsRefusedWhereverItEnds) {
  const std::string whole = bytes_of("a.tar");
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{512}, std::size_t{1500},
        std::size_t{60'000}, std::size_t{80'000}, whole.size() / 2, whole.size() - 12'000}) {
    put("b.tar", whole.substr(0, length));
    const auto refused = extract(path("b.tar"), {path("r"), path("d")});
    ASSERT_FALSE(refused.has_value()) << length;
    EXPECT_EQ(refused.error().code, Code::InvalidArgument) << length;
    EXPECT_FALSE(base::os::exists(path("r"))) << length;
    EXPECT_FALSE(base::os::exists(path("d"))) << length;
  }
}

TEST_F(TenantArchiveTest, AnAlteredMemberIsFound) {
  alter(std::string(10, 'd'), std::string(10, 'x'));
  EXPECT_THAT(check(path("b.tar")).error().message, HasSubstr("data.tar.zst was altered"));
  alter(std::string(10, 'r'), std::string(10, 'x'));
  EXPECT_THAT(check(path("b.tar")).error().message, HasSubstr("release.tar.zst was altered"));
}

TEST_F(TenantArchiveTest, ANewerFormatSaysSo) {
  alter("\"format\":1", "\"format\":2");
  const auto refused = check(path("b.tar"));
  EXPECT_EQ(refused.error().code, Code::NotSupported);
  EXPECT_THAT(refused.error().advice, HasSubstr("newer"));
}

TEST_F(TenantArchiveTest, OtherFilesAreNoArchives) {
  put("b.tar", "not a tar file at all");
  EXPECT_EQ(check(path("b.tar")).error().code, Code::InvalidArgument);
  put("b.tar", std::string(1 << 20, '\0'));
  EXPECT_EQ(check(path("b.tar")).error().code, Code::InvalidArgument);
  EXPECT_EQ(check(path("none.tar")).error().code, Code::NotFound);
}

TEST_F(TenantArchiveTest, MoreThanBelongsThereIsRefused) {
  // Two archives one after the other: the end of the first is two empty blocks.
  std::string bytes = bytes_of("a.tar");
  bytes.resize(bytes.find_last_not_of('\0') / 512 * 512 + 512);
  put("b.tar", bytes + bytes_of("a.tar"));
  EXPECT_FALSE(check(path("b.tar")).has_value());
}

TEST_F(TenantArchiveTest, AMissingPartLeavesNothing) {
  const auto refused = write(path("c.tar"), {}, {"", path("nothing")});
  EXPECT_EQ(refused.error().code, Code::NotFound);
  EXPECT_FALSE(base::os::exists(path("c.tar")));
  EXPECT_FALSE(base::os::exists(path("c.tar.new")));
}

}  // namespace
}  // namespace granary::archive

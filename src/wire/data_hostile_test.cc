#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "wire/data_archive.h"
#include "wire/testing/bundle_builder.h"
#include "wire/testing/data_folder.h"
#include "wire/zstd_frame.h"

namespace granary::wire {
namespace {

using base::Code;
using testing::BundleBuilder;
using testing::DataFolder;
using testing::describe_tree;

// Archives that no export writes: none of them may be taken, nor leave a mark outside the folder
// that it is unpacked into.
class HostileDataTest : public ::testing::Test {
 protected:
  HostileDataTest() {
    world_.folder("outside");
    world_.file("outside/precious", "untouched");
    world_.folder("target");
  }

  void put(const std::string& bytes) {
    ASSERT_TRUE(base::os::replace_file(archive(), bytes, 0600, base::os::Durability::Cached));
  }
  std::string archive() const { return world_.in("archive"); }
  // Begins as an archive does.
  static std::unique_ptr<BundleBuilder> begun() {
    auto builder = std::make_unique<BundleBuilder>(BundleBuilder::Format::Pax);
    builder->file("format", "granary data archive 1\n").folder("data");
    return builder;
  }

  base::Result<DataArchiveInfo> check(const DataLimits& limits = {}) {
    return check_data(archive(), limits);
  }
  // By both, with the same code and words.
  base::Error refusal(const DataLimits& limits = {}) {
    const std::string before = describe_tree(world_.in("outside"));
    const auto checked = check_data(archive(), limits);
    EXPECT_FALSE(checked.has_value());
    const auto unpacked = unpack_data(archive(), world_.in("target"),
                                      {.limits = limits, .uid = ::geteuid(), .gid = ::getegid()});
    EXPECT_FALSE(unpacked.has_value());
    EXPECT_EQ(describe_tree(world_.in("outside")), before);
    EXPECT_TRUE(base::os::remove_tree(world_.in("target")));
    world_.folder("target");
    if (checked || unpacked) return {};
    EXPECT_EQ(describe(unpacked.error()), describe(checked.error()));
    return checked.error();
  }
  void expect_refused(BundleBuilder& builder, std::string_view words) {
    put(builder.bundle());
    const base::Error error = refusal();
    EXPECT_EQ(error.code, Code::InvalidArgument) << describe(error);
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message << " / " << words;
  }

  // A good archive of two files, as its tar.
  std::string good_tar() {
    const DataFolder from;
    from.file("a", "first file's words");
    from.file("b", "second file's words");
    EXPECT_TRUE(base::os::remove_file(world_.in("good")));
    EXPECT_TRUE(pack_data(from.path(), world_.in("good"), {}));
    const auto reader = ZstdReader::open(world_.in("good"));
    std::string tar;
    for (;;) {
      const auto piece = (*reader)->pull();
      if (!piece || piece->empty()) return tar;
      tar += *piece;
    }
  }
  std::string good_archive() {
    (void)good_tar();
    return base::os::read_file(world_.in("good"), 1U << 20).value();
  }
  static std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  DataFolder world_;
};

TEST_F(HostileDataTest, PathsThatLeaveTheFolderAreRefused) {
  for (const char* path : {"/etc/x", "x", "../x", "data/../x", "data/./x", "data//x",
                           "data/a/../../x", "database/x", "data/..", "./data/x"}) {
    const auto builder = begun();
    expect_refused(builder->file(path, "x"), "the archive's entry");
  }
}

TEST_F(HostileDataTest, ALinkIsNoFolderToGoThrough) {
  const auto outward = begun();
  outward->link("data/l", world_.in("outside")).file("data/l/precious", "overwritten");
  expect_refused(*outward, "lies in no folder of the archive");
  const auto replaced = begun();
  replaced->link("data/l", world_.in("outside")).folder("data/l").file("data/l/precious", "x");
  expect_refused(*replaced, "comes twice");
  const auto file = begun();
  expect_refused(file->file("data/f", "").file("data/f/x", ""), "lies in no folder");
}

TEST_F(HostileDataTest, AHardLinkLeadsToAFileOfTheArchiveAlone) {
  const std::string precious = world_.in("outside/precious");
  for (const std::string& target :
       {precious, std::string("/etc/passwd"), std::string("data/../outside/precious"),
        std::string("data/link"), std::string("data/folder"), std::string("data/later"),
        std::string("data/link/precious"), std::string("data"), std::string("format")}) {
    const auto builder = begun();
    builder->folder("data/folder").hard_link("data/h", target).link("data/link", "../outside");
    put(builder->file("data/x", "").bundle());
    EXPECT_EQ(refusal().code, Code::InvalidArgument) << target;
  }
}

TEST_F(HostileDataTest, AHardLinkThroughALinkIsNotFollowed) {
  const auto builder = begun();
  builder->link("data/link", world_.in("outside")).hard_link("data/m", "data/link/precious");
  expect_refused(*builder, "which is not a file of the archive");
}

TEST_F(HostileDataTest, TwiceTooLateOrNowhereIsRefused) {
  const auto twice = begun();
  expect_refused(twice->file("data/a", "1").file("data/a", "2"), "comes twice");
  const auto late = begun();
  expect_refused(late->file("data/b", "").file("data/a", ""), "too late");
  const auto back = begun();
  back->folder("data/a").file("data/a/1", "").file("data/b", "").file("data/a/2", "");
  expect_refused(*back, "too late");
  const auto nowhere = begun();
  expect_refused(nowhere->file("data/x/y", ""), "lies in no folder");
  BundleBuilder root(BundleBuilder::Format::Pax);
  root.file("format", "granary data archive 1\n").file("data/x", "");
  expect_refused(root, "lies in no folder");
}

TEST_F(HostileDataTest, APartContinuesTheFolderBeforeItAndNothingElse) {
  const auto begun_anew = [] {
    auto builder = std::make_unique<BundleBuilder>(BundleBuilder::Format::Pax);
    builder->file("format", "granary data archive 2\n").folder("data").folder("data/f");
    return builder;
  };
  const auto of_file = begun_anew();
  expect_refused(of_file->file("data/g", "").folder("deep/1"), "continues no folder");
  const auto second = begun_anew();
  expect_refused(second->folder("deep/2"), "lies in no folder");
  const auto twice = begun_anew();
  expect_refused(twice->folder("deep/1").folder("deep/2"), "continues no folder");
  const auto no_folder = begun_anew();
  expect_refused(no_folder->file("deep/1", ""), "must be a folder");
  const auto rootless = begun_anew();
  expect_refused(rootless->file("deep/1/x", ""), "continues no folder");
  const auto both = begun_anew();
  expect_refused(both->folder("deep/1").file("deep/1/x", "").file("data/f/x", ""),
                 "lies in no folder");
  const auto ended = begun_anew();
  ended->folder("deep/1").file("data/g", "");
  expect_refused(ended->file("deep/1/x", ""), "lies in no folder");
  for (const char* name : {"deep", "deep/", "deep/0", "deep/01", "deep/x", "deep/1x", "deep/-1",
                           "deep/99999999999999999999", "deep/../x", "deeper/1"}) {
    const auto builder = begun_anew();
    expect_refused(builder->folder(name), "the archive's entry");
  }
  const auto upward = begun_anew();
  expect_refused(upward->folder("deep/1").file("deep/1/../x", ""), "has . or .. in it");
}

TEST_F(HostileDataTest, AHardLinkIntoAPartGoesThroughNoLink) {
  BundleBuilder builder(BundleBuilder::Format::Pax);
  builder.file("format", "granary data archive 2\n").folder("data").folder("data/f");
  builder.folder("deep/1").link("deep/1/out", world_.in("outside"));
  expect_refused(builder.hard_link("deep/1/p", "deep/1/out/precious"), "not a file of the archive");
}

TEST_F(HostileDataTest, DevicesAndPipesAreRefused) {
  const auto device = begun();
  expect_refused(device->device("data/null"), "neither a file, a folder nor a link");
  const auto pipe = begun();
  expect_refused(pipe->fifo("data/pipe"), "neither a file, a folder nor a link");
}

TEST_F(HostileDataTest, NamesThatNoFileSystemTakesAreRefused) {
  const auto builder = begun();
  expect_refused(builder->file("data/" + std::string(256, 'n'), ""), "has a name of 256 bytes");
}

TEST_F(HostileDataTest, WhatIsNoArchiveIsSaidToBeNone) {
  for (const std::string& bytes : {std::string(), std::string("hello"), std::string(4096, '\0')}) {
    put(bytes);
    EXPECT_EQ(refusal().code, Code::InvalidArgument);
  }
  BundleBuilder bundle;
  expect_refused(bundle.file("main.py", "print()"), "this is not a valid data archive");
  BundleBuilder words(BundleBuilder::Format::Pax);
  expect_refused(words.file("format", "something else 1\n").folder("data"),
                 "this is not a valid data archive");
  put(testing::in_zstd_frame("no tar at all"));
  EXPECT_NE(refusal().message.find("not a valid data archive"), std::string::npos);
}

TEST_F(HostileDataTest, ANewerVersionIsRefusedWithAdvice) {
  BundleBuilder newer(BundleBuilder::Format::Pax);
  newer.file("format", "granary data archive 9\n").folder("data").file("data/new kind", "");
  put(newer.bundle());
  const base::Error error = refusal();
  EXPECT_EQ(error.code, Code::InvalidArgument);
  EXPECT_NE(error.message.find("made by a newer version"), std::string::npos) << error.message;
  EXPECT_NE(error.advice.find("Upgrade"), std::string::npos);
}

TEST_F(HostileDataTest, CutShortAnywhereIsRefused) {
  const std::string whole = good_archive();
  for (std::size_t length = 0; length < whole.size(); length += 1 + length / 50) {
    put(whole.substr(0, length));
    EXPECT_EQ(refusal().code, Code::InvalidArgument) << length;
  }
  put(whole.substr(0, whole.size() - 1));
  EXPECT_EQ(refusal().code, Code::InvalidArgument);
  put(whole);
  EXPECT_TRUE(check().has_value());
}

TEST_F(HostileDataTest, ATarThatIsCutShortInAWholeFrameIsRefused) {
  const std::string tar = good_tar();
  for (std::size_t length = 0; length + 1024 < tar.size(); length += 256) {
    put(testing::in_zstd_frame(std::string_view(tar).substr(0, length)));
    EXPECT_EQ(refusal().code, Code::InvalidArgument) << length;
  }
}

TEST_F(HostileDataTest, SomethingBehindTheEndIsRefused) {
  put(good_archive() + "x");
  EXPECT_EQ(refusal().code, Code::InvalidArgument);
  put(good_archive() + good_archive());
  EXPECT_EQ(refusal().code, Code::InvalidArgument);
  put(testing::in_zstd_frame(good_tar() + "hidden"));
  EXPECT_EQ(refusal().code, Code::InvalidArgument);
  put(testing::in_zstd_frame(good_tar() + good_tar()));
  EXPECT_EQ(refusal().code, Code::InvalidArgument);
}

TEST_F(HostileDataTest, AChangedByteIsFoundAndItsFileNamed) {
  const std::string tar = good_tar();
  put(testing::in_zstd_frame(replaced(tar, "second file's words", "second file's wordz")));
  EXPECT_NE(refusal().message.find("damaged: 'b' is not what its contents.json says"),
            std::string::npos);
  put(testing::in_zstd_frame(replaced(tar, "first file's words", "First file's words")));
  EXPECT_NE(refusal().message.find("'a' is not what"), std::string::npos);
  put(testing::in_zstd_frame(replaced(tar, "\"mode\":\"0644\"", "\"mode\":\"0666\"")));
  EXPECT_NE(refusal().message.find("'a' is not what"), std::string::npos);
  put(testing::in_zstd_frame(replaced(tar, "\"files\":2", "\"files\":3")));
  EXPECT_NE(refusal().message.find("has other totals"), std::string::npos);
  put(testing::in_zstd_frame(replaced(tar, "\"totals\"", "\"totalz\"")));
  EXPECT_NE(refusal().message.find("ends otherwise"), std::string::npos);
}

TEST_F(HostileDataTest, AFileThatIsMissingOrNotInTheContentsIsFound) {
  const std::string tar = good_tar();
  const std::size_t a = tar.find("data/PaxHeader/a");
  const std::size_t b = tar.find("data/PaxHeader/b");
  const std::size_t contents = tar.find("PaxHeader/contents.json");
  ASSERT_EQ((a | b | contents) % 512, 0U);
  put(testing::in_zstd_frame(tar.substr(0, b) + tar.substr(contents)));
  EXPECT_NE(refusal().message.find("damaged"), std::string::npos);
  put(testing::in_zstd_frame(tar.substr(0, a) + tar.substr(b)));
  EXPECT_NE(refusal().message.find("'b' is not what"), std::string::npos);
  std::string renamed = tar;  // of "b" there are both: now it is "c"
  const std::string line = R"({"path":"b")";
  put(testing::in_zstd_frame(replaced(renamed, line, R"({"path":"c")")));
  EXPECT_NE(refusal().message.find("'b' is not what"), std::string::npos);
  put(testing::in_zstd_frame(tar.substr(0, contents)));
  EXPECT_EQ(refusal().code, Code::InvalidArgument);
  put(testing::in_zstd_frame(tar.substr(0, contents) + std::string(1024, '\0')));
  EXPECT_NE(refusal().message.find("it has no contents.json"), std::string::npos);
}

TEST_F(HostileDataTest, ABombGoesOffAtItsBound) {
  const auto builder = begun();
  put(builder->zeros("data/zeros", 256U << 20).bundle());
  const base::Error error = refusal({.total_bytes = 1U << 20});
  EXPECT_EQ(error.code, Code::Exhausted) << describe(error);
}

TEST_F(HostileDataTest, ManyEntriesEndAtTheirBound) {
  const auto builder = begun();
  for (int i = 0; i < 2'000; ++i) builder->file(fmt::format("data/{:05}", i), "");
  put(builder->bundle());
  EXPECT_EQ(refusal({.entries = 1'000}).code, Code::Exhausted);
}

TEST_F(HostileDataTest, ContentsWithoutEndAreRefused) {
  const auto builder = begun();
  put(builder->zeros("contents.json", 256U << 20).bundle());
  EXPECT_EQ(refusal().code, Code::InvalidArgument);
}

}  // namespace
}  // namespace granary::wire

#include "wire/data_archive.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "base/hash.h"
#include "base/json.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "wire/testing/bundle_builder.h"
#include "wire/testing/data_folder.h"

namespace granary::wire {
namespace {

using base::Code;
using testing::DataFolder;
using testing::describe_tree;

class DataArchiveTest : public ::testing::Test {
 protected:
  base::Result<DataArchiveInfo> pack(const DataPackOptions& options = {}) {
    return pack_data(from_.path(), archive(), options);
  }
  std::string archive() const { return outside_.in("archive"); }
  // Packed, checked and unpacked: all three say the same, and the trees are equal.
  void expect_round_trip() {
    const auto packed = pack();
    ASSERT_TRUE(packed.has_value()) << describe(packed.error());
    const auto checked = check_data(archive(), {});
    ASSERT_TRUE(checked.has_value()) << describe(checked.error());
    EXPECT_EQ(*checked, *packed);
    const auto unpacked =
        unpack_data(archive(), to_.path(), {.uid = ::geteuid(), .gid = ::getegid()});
    ASSERT_TRUE(unpacked.has_value()) << describe(unpacked.error());
    EXPECT_EQ(*unpacked, *packed);
    EXPECT_EQ(describe_tree(to_.path()), describe_tree(from_.path()));
  }
  void set_times(const std::string& name, std::int64_t seconds, long nanoseconds) {
    const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, from_.in(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  // A file of this size with a few bytes at some places.
  void sparse_file(const std::string& name, off_t size, std::initializer_list<off_t> places) {
    const auto fd = base::os::open_file(from_.in(name), O_WRONLY | O_CREAT, 0644);
    ASSERT_EQ(::ftruncate(fd->get(), size), 0);
    for (const off_t place : places) ASSERT_EQ(::pwrite(fd->get(), "data", 4, place), 4);
  }

  DataFolder from_;
  DataFolder to_;
  DataFolder outside_;
};

TEST_F(DataArchiveTest, ATreeOfAllKindsSurvives) {
  from_.file("a.txt", "hello");
  from_.file("empty", "");
  from_.file("a program", "#!/bin/sh\n", 0755);
  from_.folder("notes", 0700);
  from_.folder("notes/deep");
  from_.file("notes/deep/\xff not UTF-8 \n \" \\ %", std::string(3'000'000, 'x'), 0600);
  from_.file("notes.txt", "comes after notes/");
  from_.folder("sticky", 01777);
  from_.link("absolute", "/etc/passwd");
  from_.link("upward", "../../..");
  from_.link("dangling", "nowhere at all");
  ASSERT_EQ(::link(from_.in("a.txt").c_str(), from_.in("notes/again").c_str()), 0);
  set_times("a.txt", 1'600'000'000, 123'456'789);
  set_times("notes", -5, 999'999'999);
  set_times("absolute", 1, 1);
  ASSERT_EQ(::chmod(from_.path().c_str(), 0750), 0);
  expect_round_trip();
}

TEST_F(DataArchiveTest, AnEmptyFolderIsAnArchiveToo) {
  expect_round_trip();
  EXPECT_EQ(check_data(archive(), {})->totals, (DataTotals{.folders = 1}));
}

TEST_F(DataArchiveTest, UserAttributesSurviveAndOthersAreLeftBehind) {
  from_.file("a", "x");
  if (::setxattr(from_.in("a").c_str(), "user.colour", "red\0!", 5, 0) != 0)
    GTEST_SKIP() << "the temporary folder's file system has no user attributes";
  ASSERT_EQ(::setxattr(from_.path().c_str(), "user.empty", "", 0, 0), 0);
  expect_round_trip();
  if (::geteuid() != 0) return;
  ASSERT_EQ(::setxattr(from_.in("a").c_str(), "trusted.secret", "x", 1, 0), 0);
  ASSERT_TRUE(base::os::remove_file(archive()));
  const DataFolder second;
  ASSERT_TRUE(pack().has_value());
  ASSERT_TRUE(unpack_data(archive(), second.path(), {}).has_value());
  EXPECT_LT(::getxattr(second.in("a").c_str(), "trusted.secret", nullptr, 0), 0);
}

TEST_F(DataArchiveTest, HolesStayHolesAndCostNothing) {
  constexpr off_t kTebibyte = off_t{1} << 40;
  sparse_file("huge", kTebibyte, {0, 1 << 20, kTebibyte / 2, kTebibyte - 4});
  sparse_file("all hole", 1 << 30, {});
  sparse_file("ends in a hole", 1 << 20, {0});
  sparse_file("begins with a hole", 1 << 20, {(1 << 20) - 4});
  expect_round_trip();
  const auto info = check_data(archive(), {});
  EXPECT_LT(info->totals.bytes, 64U << 10);
  EXPECT_LT(info->archive_bytes, 16U << 10);
}

TEST_F(DataArchiveTest, ManyHolesAreStoredToTheBlock) {
  std::vector<off_t> places;
  const auto fd = base::os::open_file(from_.in("comb"), O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(::ftruncate(fd->get(), 3'000 * 8'192), 0);
  for (off_t i = 0; i < 3'000; ++i) ASSERT_EQ(::pwrite(fd->get(), "x", 1, i * 8'192), 1);
  expect_round_trip();
}

TEST_F(DataArchiveTest, PipesAndSocketsAreLeftOutAndCounted) {
  from_.file("a", "x");
  ASSERT_EQ(::mkfifo(from_.in("pipe").c_str(), 0600), 0);
  const auto packed = pack();
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(packed->totals.left_out.count(base::LeftOutKind::Fifo), 1U);
  EXPECT_EQ(packed->totals.left_out.first, std::vector<std::string>{"pipe"});
  EXPECT_EQ(packed->totals.files, 1U);
  EXPECT_EQ(check_data(archive(), {})->totals, packed->totals);
}

TEST_F(DataArchiveTest, SetuidIsDroppedAndCountedOnceAFile) {
  from_.file("program", "x", 06755);
  ASSERT_EQ(::link(from_.in("program").c_str(), from_.in("same").c_str()), 0);
  const auto packed = pack();
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(describe(packed->totals.left_out), "set-uid bits of 1 file (first: program)");
  ASSERT_TRUE(unpack_data(archive(), to_.path(), {.uid = ::geteuid(), .gid = ::getegid()}));
  struct stat status{};
  ASSERT_EQ(::stat(to_.in("program").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0755U);
}

TEST_F(DataArchiveTest, TheHashIsThatOfTheFileAndEqualFoldersGiveEqualOnes) {
  from_.file("a", "x");
  const auto first = pack();
  ASSERT_TRUE(first.has_value());
  const auto bytes = base::os::read_file(archive(), 1U << 20);
  EXPECT_EQ(first->sha256, base::sha256_hex(*bytes));
  EXPECT_EQ(first->archive_bytes, bytes->size());
  ASSERT_TRUE(base::os::remove_file(archive()));
  EXPECT_EQ(pack()->sha256, first->sha256);
}

// Only where nobody else can read the contents' place does the promise of the header hold.
TEST_F(DataArchiveTest, AnotherTarUnpacksItAndTheContentsAreJson) {
  from_.file("b", std::string(100'000, 'b'));
  from_.folder("f");
  from_.file("f/caf\xc3\xa9", "x");
  sparse_file("sparse", 1 << 20, {0, 512 << 10});
  ASSERT_TRUE(pack().has_value());
  const auto tar = base::os::run_program({"/bin/tar", "--zstd", "-xf", archive(), "-C", to_.path()},
                                         std::chrono::seconds(60));
  ASSERT_TRUE(tar.has_value());
  ASSERT_EQ(tar->exit_code, 0) << tar->output;
  EXPECT_EQ(base::os::read_file(to_.in("data/f/caf\xc3\xa9"), 10).value(), "x");
  EXPECT_EQ(base::os::read_file(to_.in("data/sparse"), 2 << 20).value(),
            base::os::read_file(from_.in("sparse"), 2 << 20).value());
  EXPECT_EQ(base::os::read_file(to_.in("format"), 100).value(), "granary data archive 2\n");
  const auto contents = base::os::read_file(to_.in("contents.json"), 1U << 20);
  const auto document = base::json::parse_object(*contents, 1U << 20);
  ASSERT_TRUE(document.has_value()) << *contents;
  EXPECT_EQ(document->at("entries").as_array().size(), 5U);
  EXPECT_EQ(document->at("entries").as_array().at(1).at("sha256").as_string(),
            base::sha256_hex(std::string(100'000, 'b')));
  EXPECT_EQ(document->at("totals").at("files").as_int64(), 3);
}

// As earlier releases have written them.
TEST_F(DataArchiveTest, AnArchiveOfTheFirstVersionIsTaken) {
  const std::string contents = fmt::format(
      "{{\"version\":1,\"entries\":[\n"
      "{{\"path\":\"\",\"type\":\"folder\",\"mode\":\"0755\"}},\n"
      "{{\"path\":\"a\",\"type\":\"file\",\"mode\":\"0644\",\"size\":5,\"sha256\":\"{}\"}}\n"
      "],\"totals\":{{\"files\":1,\"folders\":1,\"links\":0,\"bytes\":5,\"left_out\":2,"
      "\"changed\":0}}}}\n",
      base::sha256_hex("hello"));
  testing::BundleBuilder builder(testing::BundleBuilder::Format::Pax);
  builder.file("format", "granary data archive 1\n").folder("data").file("data/a", "hello");
  const std::string bytes = builder.file("contents.json", contents).bundle();
  ASSERT_TRUE(base::os::replace_file(archive(), bytes, 0600, base::os::Durability::Cached));
  const auto taken = unpack_data(archive(), to_.path(), {.uid = ::geteuid(), .gid = ::getegid()});
  ASSERT_TRUE(taken.has_value()) << describe(taken.error());
  EXPECT_EQ(describe(taken->totals.left_out), "2 fifos");
  EXPECT_EQ(base::os::read_file(to_.in("a"), 10).value(), "hello");
}

TEST_F(DataArchiveTest, WhatIsThereIsNotOverwritten) {
  ASSERT_TRUE(base::os::replace_file(archive(), "mine", 0600, base::os::Durability::Cached));
  EXPECT_EQ(pack().error().code, Code::AlreadyExists);
  EXPECT_EQ(base::os::read_file(archive(), 10).value(), "mine");
}

TEST_F(DataArchiveTest, AFailedPackLeavesNothing) {
  from_.file("a", std::string(3 << 20, 'x'));
  int calls = 0;
  const auto cancelled = pack({.pulse = [&calls]() -> base::Result<void> {
    if (++calls < 4) return {};
    return base::fail(Code::Cancelled, "enough");
  }});
  EXPECT_EQ(cancelled.error().code, Code::Cancelled);
  EXPECT_FALSE(base::os::exists(archive()));
}

TEST_F(DataArchiveTest, EachBoundIsMet) {
  from_.folder("f");
  from_.folder("f/g");
  from_.file("f/g/file", std::string(1'000, 'x'));
  ASSERT_TRUE(pack().has_value());
  const DataLimits bounds[] = {{.total_bytes = 999}, {.entries = 3}};
  for (const DataLimits& limits : bounds) {
    const auto refused = check_data(archive(), limits);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::Exhausted) << describe(refused.error());
  }
  EXPECT_TRUE(check_data(archive(), {.total_bytes = 1'000, .entries = 4}));
}

TEST_F(DataArchiveTest, AFileSystemsOwnFolderIsLeftOutOnlyThere) {
  from_.folder("lost+found");
  from_.folder("f");
  from_.folder("f/lost+found");
  EXPECT_EQ(pack()->totals.folders, 4U);
  ASSERT_TRUE(base::os::remove_file(archive()));
  EXPECT_EQ(pack({.is_file_system = true})->totals.folders, 3U);
}

// What the pulse removes is gone between a folder's listing and its turn.
TEST_F(DataArchiveTest, OfALiveFolderWhatGoesAwayIsLeftOutAndCounted) {
  for (const char* name : {"a", "b", "c"}) from_.file(name, "x");
  const auto remove_b = [this]() -> base::Result<void> {
    return base::os::remove_file(from_.in("b"));
  };
  const auto live = pack({.source = DataSource::Live, .pulse = remove_b});
  ASSERT_TRUE(live.has_value()) << describe(live.error());
  EXPECT_EQ(live->totals.files, 2U);
  EXPECT_EQ(live->totals.changed, 1U);
  ASSERT_TRUE(base::os::remove_file(archive()));
  from_.file("b", "x");
  EXPECT_FALSE(pack({.source = DataSource::Still, .pulse = remove_b}).has_value());
}

TEST_F(DataArchiveTest, OfALiveFolderAFileThatShrinksKeepsItsLength) {
  from_.file("a", std::string(4 << 20, 'x'));
  int calls = 0;
  const auto shrink = [&]() -> base::Result<void> {
    if (++calls == 3) (void)::truncate(from_.in("a").c_str(), 1 << 20);
    return {};
  };
  const auto live = pack({.source = DataSource::Live, .pulse = shrink});
  ASSERT_TRUE(live.has_value()) << describe(live.error());
  EXPECT_EQ(live->totals.changed, 1U);
  const auto checked = check_data(archive(), {});
  ASSERT_TRUE(checked.has_value()) << describe(checked.error());
  EXPECT_EQ(checked->totals.changed, 1U);
  ASSERT_TRUE(unpack_data(archive(), to_.path(), {.uid = ::geteuid(), .gid = ::getegid()}));
  EXPECT_EQ(std::filesystem::file_size(to_.in("a")), std::uintmax_t{4 << 20});
}

TEST_F(DataArchiveTest, TheUnpackedBelongToWhomTheyAreFor) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: giving files away";
  from_.folder("f");
  from_.file("f/a", "x");
  from_.link("l", "f/a");
  ASSERT_TRUE(pack().has_value());
  ASSERT_TRUE(unpack_data(archive(), to_.path(), {.uid = 61'234, .gid = 61'235}).has_value());
  for (const char* name : {"", "f", "f/a", "l"}) {
    struct stat status{};
    ASSERT_EQ(::lstat(to_.in(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_uid, 61'234U) << name;
    EXPECT_EQ(status.st_gid, 61'235U) << name;
  }
}

}  // namespace
}  // namespace granary::wire

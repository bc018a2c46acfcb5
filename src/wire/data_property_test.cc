#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/os/process.h"
#include "base/testing/world.h"
#include "wire/data_archive.h"
#include "wire/testing/data_folder.h"
#include "wire/testing/hostile_tree.h"

// Whatever the kernel lets an app make is packed, and unpacked equal: names, bytes, holes, modes,
// times, attributes, links; what no archive holds is counted.
namespace granary::wire {
namespace {

using base::LeftOutKind;
using testing::DataFolder;
using testing::describe_tree;
using testing::Described;
using testing::HostileTree;
using testing::make_deep;

class DataPropertyTest : public ::testing::Test {
 protected:
  std::string archive() const { return outside_.in("archive"); }
  DataTotals round_trip(const DataFolder& from, const DataPackOptions& options = {}) {
    const DataFolder to;
    EXPECT_TRUE(base::os::remove_file(archive()));
    const auto packed = pack_data(from.path(), archive(), options);
    EXPECT_TRUE(packed.has_value()) << describe(packed.error());
    if (!packed) return {};
    const auto checked = check_data(archive(), {});
    EXPECT_TRUE(checked.has_value()) << describe(checked.error());
    const auto unpacked =
        unpack_data(archive(), to.path(), {.uid = ::geteuid(), .gid = ::getegid()});
    EXPECT_TRUE(unpacked.has_value()) << describe(unpacked.error());
    if (!checked || !unpacked) return {};
    EXPECT_EQ(*checked, *packed);
    EXPECT_EQ(*unpacked, *packed);
    // Not EXPECT_EQ: of a tree with paths of 8,000 bytes nobody wants to read both.
    const std::string before = describe_tree(from.path(), Described::Kept);
    const std::string after = describe_tree(to.path(), Described::All);
    EXPECT_TRUE(before == after) << differing_line(before, after);
    return packed->totals;
  }
  static std::string differing_line(const std::string& a, const std::string& b) {
    const auto [at, other] = std::ranges::mismatch(a, b);
    const auto begin = static_cast<std::size_t>(at - a.begin());
    const std::size_t line = a.rfind('\n', begin) == std::string::npos ? 0 : a.rfind('\n', begin);
    return a.substr(line, 500) + "\nis\n" + b.substr(std::min(line, b.size()), 500);
  }

  DataFolder outside_;
};

TEST_F(DataPropertyTest, WhateverAnAppMakesComesBack) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    const DataFolder from;
    base::testing::SeededRng rng(seed);
    const HostileTree tree(from.path(), rng, {.entries = 20 + seed * 12});
    // With few names in memory the walk reads folders again and again.
    const DataTotals totals = round_trip(from, {.names_in_memory = seed % 2 == 0 ? 4U : 1'000U});
    EXPECT_EQ(totals.left_out.counts, tree.left_out().counts) << describe(totals.left_out);
    if (HasFailure()) return;
  }
}

// 300 are more than a walk with a descriptor for each had; with 2,100 the path is longer than any
// that the kernel takes.
TEST_F(DataPropertyTest, FoldersInFoldersComeBackHoweverDeep) {
  for (const std::size_t depth : {300U, 2'100U}) {
    const DataFolder from;
    make_deep(from.path(), "d", depth);
    EXPECT_EQ(round_trip(from).folders, depth + 1) << depth;
  }
  const DataFolder from;
  make_deep(from.path(), std::string(255, 'n'), 300);
  from.file("zz comes after", "x");
  from.folder("branch");
  make_deep(from.in("branch"), std::string(200, 'm'), 40);
  EXPECT_EQ(round_trip(from).folders, 342U);
}

TEST_F(DataPropertyTest, WhatLiesDeepMayBeLinkedFromAnywhere) {
  const DataFolder from;
  make_deep(from.path(), std::string(250, 'a'), 40);
  make_deep(from.path(), std::string(250, 'b'), 40);
  base::os::Descent one(base::os::Folder::open(from.path()).value());
  base::os::Descent two(base::os::Folder::open(from.path()).value());
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(one.enter(one.here().open_folder(std::string(250, 'a')).value()).has_value());
    ASSERT_TRUE(two.enter(two.here().open_folder(std::string(250, 'b')).value()).has_value());
    const std::string name = fmt::format("z{}", i);
    ASSERT_TRUE(one.here().make_file(name, 0600).has_value());
    ASSERT_EQ(::linkat(one.here().fd(), name.c_str(), two.here().fd(), name.c_str(), 0), 0);
    ASSERT_EQ(::linkat(one.here().fd(), name.c_str(), one.root().fd(), name.c_str(), 0), 0);
  }
  EXPECT_EQ(round_trip(from).hard_links, 80U);
}

TEST_F(DataPropertyTest, AFileOfManyNamesComesBackAsOne) {
  const DataFolder from;
  from.file("h0", "x");
  from.link("l0", "nowhere");
  for (int i = 1; i <= 5'000; ++i) {
    ASSERT_EQ(::link(from.in("h0").c_str(), from.in(fmt::format("h{}", i)).c_str()), 0);
    ASSERT_EQ(::linkat(AT_FDCWD, from.in("l0").c_str(), AT_FDCWD,
                       from.in(fmt::format("l{}", i)).c_str(), 0),
              0);
  }
  const DataTotals totals = round_trip(from);
  EXPECT_EQ(totals.hard_links, 10'000U);
  // The smallest disk has room for 4,096 files, and an app gave them this many names.
  EXPECT_TRUE(check_data(archive(), DataLimits::of_disk(16U << 20)).has_value());
}

TEST_F(DataPropertyTest, HolesOfAnyLengthCostNothing) {
  const DataFolder from;
  constexpr off_t kLongest = (off_t{1} << 44) - 4'096;  // of ext4
  for (int i = 0; i < 200; ++i) {
    const auto fd = base::os::open_file(from.in(fmt::format("{}", i)), O_WRONLY | O_CREAT, 0600);
    ASSERT_EQ(::ftruncate(fd->get(), kLongest), 0);
    if (i % 4 == 0) ASSERT_EQ(::pwrite(fd->get(), "end", 3, kLongest - 3), 3);
    if (i % 4 == 1) ASSERT_EQ(::pwrite(fd->get(), "middle", 6, kLongest / 2), 6);
  }
  const DataTotals totals = round_trip(from);
  EXPECT_EQ(totals.files, 200U);
  EXPECT_LT(totals.bytes, 1U << 20);
}

// Each tar knows paths as long as the kernel's, and an archive has none that is longer.
TEST_F(DataPropertyTest, AnotherTarUnpacksEvenDeepTreesInParts) {
  const DataFolder from;
  make_deep(from.path(), std::string(100, 'p'), 60);
  ASSERT_TRUE(pack_data(from.path(), archive(), {}).has_value());
  const DataFolder to;
  const auto tar = base::os::run_program({"/bin/tar", "--zstd", "-xf", archive(), "-C", to.path()},
                                         std::chrono::seconds(60));
  ASSERT_TRUE(tar.has_value());
  ASSERT_EQ(tar->exit_code, 0) << tar->output;
  // 21 names and their slashes are the first beginning of a path that is too long.
  std::string in_last = "deep/2";
  for (int i = 0; i < 60 - 2 * 21; ++i) in_last += "/" + std::string(100, 'p');
  EXPECT_EQ(base::os::read_file(to.in(in_last + "/leaf"), 100).value_or("(none)"), "at the bottom");
  const std::string contents = base::os::read_file(to.in("contents.json"), 1U << 20).value();
  EXPECT_NE(
      contents.find(R"({"part":1,"path":"","type":"folder","mode":"0755","continues":"data/)"),
      std::string::npos);
  EXPECT_NE(contents.find(R"("continues":"deep/1/ppp)"), std::string::npos);
}

TEST_F(DataPropertyTest, OfALiveTreeWhoseFoldersAreMovedTheRestIsPacked) {
  const DataFolder from;
  make_deep(from.path(), "d", 100);
  from.file("zz", "comes after");
  bool moved = false;
  int calls = 0;
  const auto move = [&]() -> base::Result<void> {
    // Far below, when folders on the way back are not open any more.
    if (++calls < 100 || moved) return {};
    moved = true;
    EXPECT_EQ(::rename(from.in("d/d/d").c_str(), from.in("elsewhere").c_str()), 0);
    return {};
  };
  const auto packed =
      pack_data(from.path(), archive(), {.source = DataSource::Live, .pulse = move});
  ASSERT_TRUE(packed.has_value()) << describe(packed.error());
  EXPECT_TRUE(moved);
  EXPECT_GE(packed->totals.changed, 1U);
  EXPECT_GE(packed->totals.files, 2U);  // "zz" too
  const auto checked = check_data(archive(), {});
  ASSERT_TRUE(checked.has_value()) << describe(checked.error());
}

TEST_F(DataPropertyTest, LostAndFoundIsTheAppsOnceSomethingIsInIt) {
  const DataFolder from;
  from.folder("lost+found", 0700);
  ASSERT_TRUE(pack_data(from.path(), archive(), {.is_file_system = true}).has_value());
  EXPECT_EQ(check_data(archive(), {})->totals.folders, 1U);
  from.file("lost+found/mine", "x");
  EXPECT_EQ(round_trip(from, {.is_file_system = true}).files, 1U);
}

}  // namespace
}  // namespace granary::wire

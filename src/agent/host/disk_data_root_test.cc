#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "agent/host/disk_snapshot.h"
#include "agent/testing/host_fixture.h"
#include "base/os/file.h"
#include "base/os/loop_device.h"
#include "base/os/process.h"

namespace granary::agent {
namespace {

using base::AccountId;
using base::Code;
using std::chrono::seconds;

constexpr std::uint64_t kDisk = 32ULL << 20;

// Exports and imports of real disk images, encrypted where the kernel can.
class DiskDataTest : public HostFixture {
 protected:
  void SetUp() override {
    HostFixture::SetUp();
    if (!launcher_) return;
    ASSERT_TRUE(base::os::make_folders(paths_.transfers(), 0700));
    make_account("acme", kDisk);
  }
  static DiskOptions disk(std::uint64_t bytes = kDisk) { return {bytes, kUid}; }
  std::string archive() const { return paths_.transfers() + "/archive"; }

  base::Result<wire::DataArchiveInfo> export_data(const std::string& account) {
    TRY(base::os::remove_file(archive()));
    TRY_ASSIGN(const auto snapshot,
               disks_.snapshot(AccountId(account),
                               {.disk = disk(), .longest_pause = seconds(60), .pulse = {}}));
    return snapshot->pack(archive(), {});
  }
  base::Result<void> import_data(const std::string& account, const std::string& sha256,
                                 const wire::DataPulse& pulse = {}) {
    return disks_.replace(AccountId(account), archive(), sha256, disk(), pulse);
  }
  // What the account's app reads and prints of a file.
  std::string content(const std::string& account, const std::string& name) {
    const std::string text =
        run_inside(account, "print('[' + open('/data/" + name + "').read() + ']')");
    const std::size_t from = text.rfind('[');
    const std::size_t to = text.rfind(']');
    return from == std::string::npos ? text : text.substr(from + 1, to - from - 1);
  }
  void write(const std::string& account, const std::string& name, const std::string& text) {
    const std::string said = run_inside(
        account, "open('/data/" + name + "', 'w').write('" + text + "')\nprint('written')");
    ASSERT_NE(said.find("written"), std::string::npos) << said;
  }
  // Of the account's folder: nothing but what is to be there.
  std::vector<std::string> leftovers(const std::string& account) {
    std::vector<std::string> left;
    for (const std::string& name :
         base::os::list_folder(paths_.account(AccountId(account))).value())
      if (name != "disk.img" && name != "disk.key" && name != "logs") left.push_back(name);
    return left;
  }
  // No loop device is attached to anything below the data directory, or soon none.
  bool devices_are_gone() {
    for (int i = 0; i < 500; ++i) {
      bool any = false;
      for (const std::string& name : base::os::list_folder("/sys/block").value()) {
        const auto file =
            base::os::read_file("/sys/block/" + name + "/loop/backing_file", 4096).value_or("");
        any = any || file.starts_with(folder_);
      }
      if (!any) return true;
      base::os::pause_thread(std::chrono::milliseconds(10));
    }
    return false;
  }
};

TEST_F(DiskDataTest, WhatAnAppWroteArrivesInAnotherAccountAsItsOwn) {
  write("acme", "notes", "customers");
  EXPECT_NE(run_inside("acme",
                       "import os\nos.mkdir('/data/f'); os.symlink('/etc', '/data/f/l')\n"
                       "os.link('/data/notes', '/data/f/again')\nos.mkfifo('/data/p')\n"
                       "os.chmod('/data/notes', 0o640); print('written')")
                .find("written"),
            std::string::npos);
  const auto written = export_data("acme");
  ASSERT_TRUE(written.has_value()) << describe(written.error());
  EXPECT_EQ(written->totals, (wire::DataTotals{.files = 1,
                                               .folders = 2,
                                               .links = 2,
                                               .hard_links = 1,
                                               .bytes = 9,
                                               .disk_bytes = kDisk,
                                               .left_out = written->totals.left_out}));
  EXPECT_EQ(describe(written->totals.left_out), "1 fifo (first: p)");
  make_account("globex", kDisk);
  write("globex", "old", "to go");
  const auto imported = import_data("globex", written->sha256);
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  EXPECT_EQ(content("globex", "f/again"), "customers");
  const std::string seen = run_inside(
      "globex",
      "import os\ns = os.stat('/data/notes')\n"
      "print(oct(s.st_mode), s.st_uid == os.getuid(), s.st_nlink, os.readlink('/data/f/l'),"
      " sorted(os.listdir('/data')), os.stat('/data').st_uid == os.getuid())");
  EXPECT_NE(seen.find("0o100640 True 2 /etc ['f', 'notes'] True"), std::string::npos) << seen;
  write("globex", "new", "it is writable");
  EXPECT_EQ(content("acme", "notes"), "customers");
  EXPECT_TRUE(leftovers("acme").empty());
  EXPECT_TRUE(leftovers("globex").empty());
  EXPECT_TRUE(devices_are_gone());
}

TEST_F(DiskDataTest, AnExportOfADiskThatNobodyEverUsedIsEmpty) {
  const auto written = export_data("acme");
  ASSERT_TRUE(written.has_value()) << describe(written.error());
  EXPECT_EQ(written->totals, (wire::DataTotals{.folders = 1, .disk_bytes = kDisk}));
  EXPECT_TRUE(devices_are_gone());
}

TEST_F(DiskDataTest, ADiskThatIsNotEncryptedExportsWithoutTheFileSystemsOwnFolder) {
  ASSERT_TRUE(base::os::make_folders(paths_.logs(AccountId("bare")), 0700));
  ASSERT_TRUE(base::os::make_folders(paths_.silo(AccountId("bare")), 0711));
  ASSERT_TRUE(DiskImages(paths_).make(AccountId("bare"), disk()).has_value());
  write("bare", "notes", "in the clear");
  const auto written = export_data("bare");
  ASSERT_TRUE(written.has_value()) << describe(written.error());
  EXPECT_EQ(written->totals,
            (wire::DataTotals{.files = 1, .folders = 1, .bytes = 12, .disk_bytes = kDisk}));
  // From now on it is encrypted, where the kernel can.
  const auto imported = import_data("bare", written->sha256);
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  EXPECT_EQ(content("bare", "notes"), "in the clear");
  EXPECT_EQ(disks_.use(AccountId("bare"))->encryption, keys_ ? "aes-256-xts" : "none");
  // And a disk without encryption takes the same archive.
  ASSERT_TRUE(DiskKeys::destroy(paths_, AccountId("bare")).has_value());
  ASSERT_TRUE(
      DiskImages(paths_).replace(AccountId("bare"), archive(), written->sha256, disk(), {}));
  EXPECT_EQ(content("bare", "notes"), "in the clear");
}

TEST_F(DiskDataTest, ADamagedOrForeignArchiveChangesNothing) {
  write("acme", "notes", "before");
  const auto written = export_data("acme");
  ASSERT_TRUE(written.has_value());
  write("acme", "notes", "since");
  EXPECT_EQ(import_data("acme", std::string(64, '0')).error().code, Code::InvalidArgument);
  auto bytes = base::os::read_file(archive(), 1U << 20);
  (*bytes)[bytes->size() / 2] = static_cast<char>((*bytes)[bytes->size() / 2] ^ 1);
  ASSERT_TRUE(base::os::replace_file(archive(), *bytes, 0600, base::os::Durability::Cached));
  EXPECT_EQ(import_data("acme", written->sha256).error().code, Code::InvalidArgument);
  EXPECT_EQ(content("acme", "notes"), "since");
  EXPECT_TRUE(leftovers("acme").empty());
}

TEST_F(DiskDataTest, WhatDoesNotFitIsRefusedAndChangesNothing) {
  make_account("large", 4 * kDisk);
  write("acme", "notes", "before");
  EXPECT_NE(run_inside("large",
                       "import os\nfor i in range(48):\n"
                       " open(f'/data/{i}', 'wb').write(os.urandom(1 << 20))\n"
                       "print('written')")
                .find("written"),
            std::string::npos);
  const auto larger = export_data("large");
  ASSERT_TRUE(larger.has_value());
  const auto refused = import_data("acme", larger->sha256);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Exhausted);
  EXPECT_NE(refused.error().message.find("does not fit"), std::string::npos);
  // Fewer bytes than the disk has, yet more than its file system leaves of it.
  EXPECT_NE(run_inside("large",
                       "import os\nfor i in range(17, 48): os.unlink(f'/data/{i}')\n"
                       "open('/data/rest', 'wb').write(os.urandom(14 << 20))\n"
                       "print('written')")
                .find("written"),
            std::string::npos);
  const auto nearly = export_data("large");
  ASSERT_TRUE(nearly.has_value());
  ASSERT_LT(nearly->totals.bytes, kDisk);
  EXPECT_EQ(import_data("acme", nearly->sha256).error().code, Code::Exhausted);
  EXPECT_EQ(content("acme", "notes"), "before");
  EXPECT_TRUE(leftovers("acme").empty());
  EXPECT_TRUE(devices_are_gone());
}

// A small disk has four times the inodes for its size, and keeps them when it grows.
TEST_F(DiskDataTest, ADiskThatHasGrownFitsOnAnotherOfItsSize) {
  constexpr std::uint64_t kGrown = 600ULL << 20;
  ASSERT_TRUE(disks_.make(AccountId("acme"), disk(kGrown)).has_value());
  const std::string said = run_inside("acme",
                                      "import os\nfor i in range(40000):\n"
                                      " os.close(os.open(f'/data/{i}', os.O_CREAT))\n"
                                      "print('written')");
  ASSERT_NE(said.find("written"), std::string::npos) << said;
  const auto snapshot = disks_.snapshot(
      AccountId("acme"), {.disk = disk(kGrown), .longest_pause = seconds(60), .pulse = {}});
  ASSERT_TRUE(snapshot.has_value()) << describe(snapshot.error());
  const auto written = (*snapshot)->pack(archive(), {});
  ASSERT_TRUE(written.has_value()) << describe(written.error());
  ASSERT_EQ(written->totals.files, 40'000U);
  make_account("globex", kGrown);
  const auto imported =
      disks_.replace(AccountId("globex"), archive(), written->sha256, disk(kGrown), {});
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  EXPECT_EQ(disks_.use(AccountId("globex"))->quota_bytes, kGrown);
  EXPECT_NE(run_inside("globex", "import os\nprint(len(os.listdir('/data')))").find("40000"),
            std::string::npos);
}

TEST_F(DiskDataTest, ADiskThatIsFullFitsOnAnotherOfItsSize) {
  const std::string said = run_inside("acme",
                                      "import os\nn = 0\n"
                                      "os.mkdir('/data/d')\nopen('/data/f', 'w').close()\n"
                                      "try:\n"
                                      " while True:\n"
                                      "  os.link('/data/f', f'/data/d/{n:050}'); n += 1\n"
                                      "except OSError: pass\n"
                                      "fill = open('/data/fill', 'wb', buffering=0)\n"
                                      "try:\n"
                                      " while True: fill.write(os.urandom(4096))\n"
                                      "except OSError as e: print('full', e.errno)\n");
  ASSERT_NE(said.find("full 28"), std::string::npos) << said;
  const auto written = export_data("acme");
  ASSERT_TRUE(written.has_value()) << describe(written.error());
  make_account("globex", kDisk);
  const auto imported = import_data("globex", written->sha256);
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  const auto again = export_data("globex");
  ASSERT_TRUE(again.has_value()) << describe(again.error());
  EXPECT_EQ(again->totals.bytes, written->totals.bytes);
  EXPECT_EQ(again->totals.hard_links, written->totals.hard_links);
  EXPECT_LE(disks_.use(AccountId("globex"))->quota_bytes, 2 * kDisk + (16ULL << 20));
}

// Killed anywhere, an import has put nothing in the place of the data, or all.
TEST_F(DiskDataTest, AnImportThatEndsAnywhereLeavesTheOldDataAndCanBeDoneAgain) {
  write("acme", "notes", "exported");
  const auto written = export_data("acme");
  ASSERT_TRUE(written.has_value());
  write("acme", "notes", "since");
  int calls = 0;
  const auto count = [&calls]() -> base::Result<void> {
    ++calls;
    return {};
  };
  make_account("other", kDisk);
  ASSERT_TRUE(import_data("other", written->sha256, count).has_value());
  ASSERT_GT(calls, 4);
  for (int end = 1; end <= calls; ++end) {
    int left = end;
    const auto ended = import_data("acme", written->sha256, [&left]() -> base::Result<void> {
      if (--left > 0) return {};
      return base::fail(Code::Unavailable, "killed");
    });
    ASSERT_EQ(ended.error().code, Code::Unavailable) << end;
    EXPECT_TRUE(leftovers("acme").empty());
  }
  EXPECT_EQ(content("acme", "notes"), "since");
  // As a killed agent leaves it.
  ASSERT_TRUE(base::os::replace_file(paths_.disk_import(AccountId("acme")), "half", 0600,
                                     base::os::Durability::Cached));
  ASSERT_TRUE(disks_.recover(AccountId("acme")).has_value());
  EXPECT_TRUE(leftovers("acme").empty());
  EXPECT_EQ(content("acme", "notes"), "since");
  ASSERT_TRUE(import_data("acme", written->sha256).has_value());
  ASSERT_TRUE(import_data("acme", written->sha256).has_value());  // its answer was lost
  EXPECT_EQ(content("acme", "notes"), "exported");
}

TEST_F(DiskDataTest, ADiskThatAKilledAgentHeldStillGoesOnAfterTheNextStart) {
  write("acme", "notes", "before");
  auto attached = disks_.attach(AccountId("acme"));
  ASSERT_TRUE(attached.has_value());
  const auto disk = open_disk(attached->device_path, attached->key.get(), {kUid, kUid});
  ASSERT_TRUE(disk.has_value()) << describe(disk.error());
  ASSERT_EQ(::ioctl(disk->root.get(), FIFREEZE, 0), 0);
  ASSERT_TRUE(base::os::replace_file(paths_.disk_export(AccountId("acme")), "half", 0600,
                                     base::os::Durability::Cached));
  ASSERT_TRUE(disks_.recover(AccountId("acme")).has_value());
  EXPECT_TRUE(leftovers("acme").empty());
  EXPECT_NE(::ioctl(disk->root.get(), FITHAW, 0), 0);  // it is thawed
  write("acme", "notes", "after");
  EXPECT_TRUE(disks_.recover(AccountId("acme")).has_value());  // nothing to do
}

TEST_F(DiskDataTest, WithoutRoomOnTheMachineAnExportDoesNotBegin) {
  // A small file system in the place of the account's folder.
  const AccountId id("tight");
  const std::string image = folder_ + "/small";
  ASSERT_EQ(
      base::os::run_program({"/sbin/mke2fs", "-q", "-F", image, "64m"}, seconds(60))->exit_code, 0);
  ASSERT_TRUE(base::os::make_folders(paths_.account(id), 0700));
  ASSERT_EQ(
      base::os::run_program({"/bin/mount", "-o", "loop", image, paths_.account(id)}, seconds(60))
          ->exit_code,
      0);
  EXPECT_TRUE(disks_.make(id, {16ULL << 20, kUid}).has_value());
  const auto refused =
      disks_.snapshot(id, {.disk = disk(), .longest_pause = seconds(60), .pulse = {}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::NoRoom);
  EXPECT_NE(refused.error().message.find("MiB are free"), std::string::npos);
  EXPECT_FALSE(base::os::exists(paths_.disk_export(id)));
  EXPECT_EQ(
      base::os::run_program({"/bin/umount", "-l", paths_.account(id)}, seconds(60))->exit_code, 0);
}

}  // namespace
}  // namespace granary::agent

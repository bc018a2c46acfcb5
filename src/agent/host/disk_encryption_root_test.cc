#include "agent/host/disk_keys.h"
#include "agent/testing/host_fixture.h"
#include "base/os/file.h"

namespace granary::agent {
namespace {

using base::AccountId;
using base::Code;

constexpr std::uint64_t kDisk = 64ULL << 20;
constexpr const char* kMarker = "a customer's secret, in the clear";

class DiskEncryptionTest : public HostFixture {
 protected:
  void SetUp() override {
    HostFixture::SetUp();
    if (launcher_ && !keys_) GTEST_SKIP() << "this kernel's ext4 has no encryption";
  }
  // The text is the account's whole log, so it tells only what must or must not be in there.
  bool write_marker(const std::string& account) {
    return run_inside(account, std::string("open('/data/marker', 'w').write(\"") + kMarker +
                                   "\" * 99)\nimport os; os.sync(); print('written')")
        .contains("written");
  }
  bool reads_marker(const std::string& account) {
    return run_inside(account, "print(open('/data/marker').read()[:33])").contains(kMarker);
  }
  std::string bytes_of(const std::string& account) {
    return base::os::read_file(paths_.disk(AccountId(account)), 2 * kDisk).value_or("");
  }
  void copy(const std::string& from, const std::string& to) {
    ASSERT_TRUE(base::os::make_folders(paths_.logs(AccountId(to)), 0700));
    ASSERT_TRUE(base::os::make_folders(paths_.silo(AccountId(to)), 0711));
    ASSERT_TRUE(base::os::replace_file(paths_.disk(AccountId(to)), bytes_of(from), 0600,
                                       base::os::Durability::Cached));
  }
  void copy_key(const std::string& from, const std::string& to) {
    const auto key = base::os::read_file(paths_.disk_key(AccountId(from)), 4096);
    ASSERT_TRUE(key.has_value());
    ASSERT_TRUE(base::os::replace_file(paths_.disk_key(AccountId(to)), *key, 0600,
                                       base::os::Durability::Cached));
  }
};

TEST_F(DiskEncryptionTest, TheImageShowsNothingOfWhatAnAppWrote) {
  make_account("acme", kDisk);
  EXPECT_TRUE(write_marker("acme"));
  EXPECT_TRUE(reads_marker("acme"));
  EXPECT_EQ(bytes_of("acme").find(kMarker), std::string::npos);
  EXPECT_EQ(bytes_of("acme").find("marker"), std::string::npos);
}

// The wall taken away: the same app on a disk without a key.
TEST_F(DiskEncryptionTest, WithoutAKeyTheImageShowsAll) {
  ASSERT_TRUE(base::os::make_folders(paths_.logs(AccountId("bare")), 0700));
  ASSERT_TRUE(base::os::make_folders(paths_.silo(AccountId("bare")), 0711));
  DiskImages plain(paths_);
  ASSERT_TRUE(plain.make(AccountId("bare"), {kDisk, kUid}).has_value());
  EXPECT_EQ(plain.use(AccountId("bare"))->encryption, "none");
  EXPECT_TRUE(write_marker("bare"));
  EXPECT_NE(bytes_of("bare").find(kMarker), std::string::npos);
}

TEST_F(DiskEncryptionTest, ADestroyedKeyLocksTheDiskAndEveryCopyOfIt) {
  make_account("acme", kDisk);
  EXPECT_EQ(disks_.use(AccountId("acme"))->encryption, "aes-256-xts");
  EXPECT_TRUE(write_marker("acme"));
  copy("acme", "copy");
  ASSERT_TRUE(DiskKeys::destroy(paths_, AccountId("acme")).has_value());
  ASSERT_TRUE(DiskKeys::destroy(paths_, AccountId("acme")).has_value());  // once more: nothing
  for (const char* account : {"acme", "copy"}) {
    EXPECT_EQ(disks_.attach(AccountId(account)).error().code, Code::DataLoss) << account;
    EXPECT_FALSE(reads_marker(account)) << account;
  }
}

TEST_F(DiskEncryptionTest, AKeyOpensNoOtherAccountsDisk) {
  make_account("acme", kDisk);
  make_account("globex", kDisk);
  EXPECT_TRUE(write_marker("acme"));
  // Even in possession of the image and the wrapped key: it is bound to its account.
  copy("acme", "thief");
  copy_key("acme", "thief");
  EXPECT_EQ(disks_.attach(AccountId("thief")).error().code, Code::DataLoss);
  // And another key does not open the folder.
  copy("acme", "globex");
  EXPECT_FALSE(reads_marker("globex"));
}

TEST_F(DiskEncryptionTest, ADiskIsNotOpenedUnderAnotherPlatformKey) {
  make_account("acme", kDisk);
  ASSERT_TRUE(base::os::replace_file(paths_.platform_key(), std::string(32, 'x'), 0600,
                                     base::os::Durability::Cached));
  const auto others = DiskKeys::open(paths_);
  ASSERT_TRUE(others.has_value());
  EXPECT_EQ((*others)->unwrap(AccountId("acme")).error().code, Code::DataLoss);
  ASSERT_TRUE(
      base::os::replace_file(paths_.platform_key(), "short", 0600, base::os::Durability::Cached));
  EXPECT_EQ(DiskKeys::open(paths_).error().code, Code::DataLoss);
}

TEST_F(DiskEncryptionTest, AnEncryptedDiskGrowsWithItsData) {
  make_account("acme", kDisk);
  EXPECT_TRUE(write_marker("acme"));
  ASSERT_TRUE(disks_.make(AccountId("acme"), {2 * kDisk, kUid}).has_value());
  EXPECT_TRUE(reads_marker("acme"));
}

}  // namespace
}  // namespace granary::agent

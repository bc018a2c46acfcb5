#include "agent/host/disk_keys.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/os/file.h"

namespace granary::agent {
namespace {

using base::AccountId;
using base::Code;
using base::os::Durability;

class DiskKeysTest : public ::testing::Test {
 public:
  ~DiskKeysTest() override { (void)base::os::remove_tree(folder_); }

 protected:
  DiskKeysTest() : folder_(make_folder()), paths_(folder_) {
    EXPECT_TRUE(base::os::make_folders(paths_.account(AccountId("acme")), 0700));
    EXPECT_TRUE(base::os::make_folders(paths_.keys(), 0700));
  }
  static std::string make_folder() {
    std::string name = "/tmp/granary-keys-XXXXXX";
    return ::mkdtemp(name.data());
  }
  static std::string bytes_from(int first, int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(first + i);
    return bytes;
  }
  void put(const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(base::os::replace_file(path, bytes, 0600, Durability::Cached).has_value());
  }

  std::string folder_;
  wire::Paths paths_;
};

// Wrapped by the first version, under the platform key 00 01 .. 1f, in disk.key as it lies on
// tenants' machines: it must open for ever.
TEST_F(DiskKeysTest, AKeyThatTheFirstVersionWrappedStillOpens) {
  constexpr std::string_view kSealed =
      "7c72fbb3fb2b8f858f399734aa62b3c64baa4062f039dca7944c7ebc3743660f8b27615d0893d1e0c22f4f3778"
      "7b267e5ed4e22cab870291f7363173c7b580537a6b9489bd43a05e3d2e797d08c6174b";
  std::string sealed;
  for (std::size_t i = 0; i < kSealed.size(); i += 2)
    sealed += static_cast<char>(std::stoi(std::string(kSealed.substr(i, 2)), nullptr, 16));
  put(paths_.platform_key(), bytes_from(0, 32));
  put(paths_.disk_key(AccountId("acme")), "granary disk key 1\n" + bytes_from(100, 24) + sealed);
  const auto keys = DiskKeys::open(paths_);
  ASSERT_TRUE(keys.has_value()) << describe(keys.error());
  const auto key = (*keys)->unwrap(AccountId("acme"));
  EXPECT_TRUE(key.has_value()) << describe(key.error());
}

TEST_F(DiskKeysTest, ADamagedOrForeignKeyIsRefusedWithAdvice) {
  const auto keys = DiskKeys::open(paths_);
  ASSERT_TRUE(keys.has_value());
  const AccountId acme("acme");
  ASSERT_TRUE((*keys)->make(acme).has_value());
  const auto good = base::os::read_file(paths_.disk_key(acme), 4096);
  ASSERT_TRUE(good.has_value());
  for (const std::size_t at : {std::size_t{0}, good->size() / 2, good->size() - 1}) {
    std::string changed = *good;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    put(paths_.disk_key(acme), changed);
    const auto refused = (*keys)->unwrap(acme);
    ASSERT_FALSE(refused.has_value()) << at;
    EXPECT_EQ(refused.error().code, Code::DataLoss);
    EXPECT_FALSE(refused.error().advice.empty());
  }
  put(paths_.disk_key(acme), good->substr(1));
  EXPECT_EQ((*keys)->unwrap(acme).error().code, Code::DataLoss);
}

}  // namespace
}  // namespace granary::agent

#include "wire/data_acl.h"

#include <gtest/gtest.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

namespace granary::wire {
namespace {

using Entry = posix_acl_xattr_entry;

std::string list_of(const std::vector<Entry>& entries, unsigned version = POSIX_ACL_XATTR_VERSION) {
  std::string value(reinterpret_cast<const char*>(&version), sizeof(version));
  value.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(Entry));
  return value;
}
constexpr auto kNobody = static_cast<__le32>(ACL_UNDEFINED_ID);
constexpr AccountIds kHere{61'001, 61'002};
constexpr AccountIds kThere{70'001, 70'002};

TEST(DataAclTest, TheAccountsOwnEntriesMoveToItsOtherNumbers) {
  const std::string here = list_of({{ACL_USER_OBJ, 7, kNobody},
                                    {ACL_USER, 5, 61'001},
                                    {ACL_USER, 7, 61'001},
                                    {ACL_GROUP_OBJ, 4, kNobody},
                                    {ACL_GROUP, 6, 61'002},
                                    {ACL_MASK, 7, kNobody},
                                    {ACL_OTHER, 0, kNobody}});
  const PackedAcl packed = acl_to_archive(here, kHere);
  EXPECT_FALSE(packed.others_left);
  ASSERT_TRUE(is_data_acl(packed.value));
  EXPECT_EQ(acl_from_archive(packed.value, kThere), list_of({{ACL_USER_OBJ, 7, kNobody},
                                                             {ACL_USER, 5, 70'001},
                                                             {ACL_GROUP_OBJ, 4, kNobody},
                                                             {ACL_GROUP, 6, 70'002},
                                                             {ACL_MASK, 7, kNobody},
                                                             {ACL_OTHER, 0, kNobody}}));
}

TEST(DataAclTest, EntriesOfOthersAreDroppedAndThatIsSaid) {
  const PackedAcl packed = acl_to_archive(list_of({{ACL_USER_OBJ, 7, kNobody},
                                                   {ACL_USER, 7, 0},
                                                   {ACL_GROUP_OBJ, 4, kNobody},
                                                   {ACL_MASK, 7, kNobody},
                                                   {ACL_OTHER, 0, kNobody}}),
                                          kHere);
  EXPECT_TRUE(packed.others_left);
  EXPECT_EQ(packed.value, list_of({{ACL_USER_OBJ, 7, kNobody},
                                   {ACL_GROUP_OBJ, 4, kNobody},
                                   {ACL_MASK, 7, kNobody},
                                   {ACL_OTHER, 0, kNobody}}));
}

TEST(DataAclTest, WhatIsNoListOfAnArchiveIsRefused) {
  const std::vector<Entry> good = {
      {ACL_USER_OBJ, 7, kNobody}, {ACL_GROUP_OBJ, 4, kNobody}, {ACL_OTHER, 0, kNobody}};
  EXPECT_TRUE(is_data_acl(list_of(good)));
  const std::string whole = list_of(good);
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(is_data_acl(whole.substr(0, length))) << length;
  EXPECT_FALSE(is_data_acl(list_of(good, 1)));
  EXPECT_FALSE(is_data_acl(list_of({good[1], good[0], good[2]})));
  EXPECT_FALSE(is_data_acl(list_of({good[0], good[0], good[1], good[2]})));
  EXPECT_FALSE(is_data_acl(list_of({good[0], {ACL_USER, 7, 5}, good[1], good[2]})));
  EXPECT_FALSE(is_data_acl(list_of({good[0], {ACL_USER, 7, 0}, good[1], good[2]})));  // no mask
  EXPECT_FALSE(is_data_acl(list_of({good[0], good[1], {3, 7, kNobody}, good[2]})));
  EXPECT_FALSE(is_data_acl(list_of({good[0], good[1], {ACL_OTHER, 8, kNobody}})));
  EXPECT_TRUE(acl_to_archive("no list", kHere).value.empty());
}

}  // namespace
}  // namespace granary::wire

#include "base/os/own_address.h"

#include <gtest/gtest.h>

namespace granary::base::os {
namespace {

using boost::asio::ip::make_address;

TEST(OwnAddressTest, LoopbackBelongsToThisMachineAndDocumentationDoesNot) {
  EXPECT_TRUE(is_own_address(make_address("127.0.0.1")));
  EXPECT_TRUE(is_own_address(make_address("127.200.3.4")));
  EXPECT_FALSE(is_own_address(make_address("192.0.2.1")));
  EXPECT_FALSE(is_own_address(make_address("2001:db8::1")));
}

}  // namespace
}  // namespace granary::base::os

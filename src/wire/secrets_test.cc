#include "wire/secrets.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

using base::Code;

TEST(Secrets, AnyBytesSurviveTheirJsonForm) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const Secrets secrets = {{"A", ""}, {"TLS_KEY_2", bytes}};
  const auto back = secrets_from(secrets_to_json(secrets));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, secrets);
}

TEST(Secrets, ANameIsThatOfAFileWithoutSurprises) {
  for (const char* good : {"A", "STRIPE_KEY", "KEY2", "A_"}) EXPECT_TRUE(is_secret_name(good));
  for (const char* bad : {"", "a", "_A", "2A", "A-B", "A/B", "..", "A.", "A B", "\xc3\x84"})
    EXPECT_FALSE(is_secret_name(bad)) << bad;
  EXPECT_TRUE(is_secret_name(std::string(kMaxSecretName, 'A')));
  EXPECT_FALSE(is_secret_name(std::string(kMaxSecretName + 1, 'A')));
  EXPECT_FALSE(is_secret_name(std::string_view("A\0B", 3)));
}

TEST(Secrets, EachBoundHoldsAndIsReached) {
  Secrets many;
  for (std::size_t i = 0; i < kMaxSecrets; ++i) many[fmt::format("S{}", i)] = "x";
  EXPECT_TRUE(check_secrets(many).has_value());
  many["ONE_MORE"] = "x";
  EXPECT_EQ(check_secrets(many).error().code, Code::InvalidArgument);
  EXPECT_TRUE(check_secrets({{"A", std::string(kMaxSecretBytes, 'x')}}).has_value());
  EXPECT_FALSE(check_secrets({{"A", std::string(kMaxSecretBytes + 1, 'x')}}).has_value());
  Secrets large;
  for (std::size_t i = 0; i < kMaxAllSecretBytes / kMaxSecretBytes; ++i)
    large[fmt::format("S{}", i)] = std::string(kMaxSecretBytes, 'x');
  EXPECT_TRUE(check_secrets(large).has_value());
  large["ONE_MORE"] = "x";
  EXPECT_EQ(check_secrets(large).error().code, Code::InvalidArgument);
}

TEST(Secrets, AnErrorNamesTheSecretAndNeverItsValue) {
  base::json::object document;
  document["KEY"] = "not base 64: hunter2";
  const auto refused = secrets_from(document);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("KEY"), std::string::npos);
  EXPECT_EQ(describe(refused.error()).find("hunter2"), std::string::npos);
  document["KEY"] = 7;
  EXPECT_EQ(secrets_from(document).error().code, Code::InvalidArgument);
}

}  // namespace
}  // namespace granary::wire

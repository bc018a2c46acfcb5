#include "base/signature.h"

#include <gtest/gtest.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::base {
namespace {

class SignatureTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/signing.key"; }
  std::unique_ptr<SigningKey> open() {
    auto key = SigningKey::open(path());
    EXPECT_TRUE(key.has_value());
    return std::move(*key);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(SignatureTest, AKeyIsMadeOnceAndKept) {
  const auto first = open();
  const auto again = open();
  EXPECT_EQ(first->public_pem(), again->public_pem());
  EXPECT_EQ(first->sign("x"), again->sign("x"));
  EXPECT_EQ(first->sign("x").size(), 64U);
}

TEST_F(SignatureTest, AnEnvelopeOpensUnderItsKeyAndNoOther) {
  const auto key = open();
  const json::object envelope = seal(*key, "text/plain", "hello");
  EXPECT_EQ(unseal(envelope, key->public_pem()), "hello");
  const auto other = SigningKey::open(folder_.path() + "/other.key");
  EXPECT_EQ(unseal(envelope, (*other)->public_pem()).error().code, Code::Refused);
}

TEST_F(SignatureTest, AChangedDocumentIsRefused) {
  const auto key = open();
  json::object envelope = seal(*key, "text/plain", "hello");
  envelope["payload"] = to_base64("hullo");
  EXPECT_EQ(unseal(envelope, key->public_pem()).error().code, Code::Refused);
  envelope = seal(*key, "text/plain", "hello");
  envelope["payloadType"] = "text/html";
  EXPECT_EQ(unseal(envelope, key->public_pem()).error().code, Code::Refused);
  envelope["payload"] = "?";
  EXPECT_EQ(unseal(envelope, key->public_pem()).error().code, Code::InvalidArgument);
}

TEST_F(SignatureTest, AFileWithoutAKeyIsTold) {
  ASSERT_TRUE(os::replace_file(path(), "rubbish", 0600, os::Durability::Cached));
  EXPECT_EQ(SigningKey::open(path()).error().code, Code::DataLoss);
}

TEST_F(SignatureTest, Base64KeepsAllLengths) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd"})
    EXPECT_EQ(from_base64(to_base64(text)), text);
}

TEST_F(SignatureTest, ALostKeyIsNotReplacedWhereItWasUsed) {
  const std::string lost = folder_.path() + "/lost.key";
  EXPECT_EQ(SigningKey::open(lost, IfMissing::Refuse).error().code, Code::DataLoss);
  ASSERT_TRUE(SigningKey::open(lost).has_value());
  EXPECT_TRUE(SigningKey::open(lost, IfMissing::Refuse).has_value());
}

}  // namespace
}  // namespace granary::base

#include "base/sealing_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::base {
namespace {

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

class SealingKeyTest : public ::testing::Test {
 protected:
  std::unique_ptr<SealingKey> open() {
    auto key = SealingKey::open(path_);
    EXPECT_TRUE(key.has_value()) << describe(key.error());
    return key ? std::move(*key) : nullptr;
  }
  testing::TemporaryFolder folder_;
  const std::string path_ = folder_ / "key";
};

TEST_F(SealingKeyTest, WhatWasSealedIsReadByTheSameFileLater) {
  const std::string plain("any \0 bytes \xff", 13);
  const std::string sealed = open()->seal(plain, "acme");
  EXPECT_EQ(sealed.size(), plain.size() + SealingKey::kOverhead);
  EXPECT_EQ(sealed.find("any"), std::string::npos);
  EXPECT_EQ(open()->unseal(sealed, "acme").value(), plain);
  EXPECT_EQ(open()->unseal(open()->seal("", "acme"), "acme").value(), "");
}

TEST_F(SealingKeyTest, TheKeysFileIsItsOwnersAlone) {
  (void)open();
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_size, static_cast<off_t>(SealingKey::kBytes));
}

TEST_F(SealingKeyTest, TheSameTextIsSealedDifferentlyEachTime) {
  const auto key = open();
  EXPECT_NE(key->seal("text", "acme"), key->seal("text", "acme"));
}

TEST_F(SealingKeyTest, EachChangedByteAndEveryShorterPartIsRefused) {
  const auto key = open();
  const std::string sealed = key->seal("text", "acme");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(key->unseal(changed, "acme").error().code, Code::DataLoss) << i;
    EXPECT_EQ(key->unseal(sealed.substr(0, i), "acme").error().code, Code::DataLoss) << i;
  }
}

TEST_F(SealingKeyTest, AnotherContextOrAnotherKeyReadsNothing) {
  const std::string sealed = open()->seal("text", "acme");
  EXPECT_EQ(open()->unseal(sealed, "globex").error().code, Code::DataLoss);
  ASSERT_TRUE(os::remove_file(path_).has_value());
  EXPECT_EQ(open()->unseal(sealed, "acme").error().code, Code::DataLoss);
}

TEST_F(SealingKeyTest, AFileThatIsNoKeyIsSaidSoAndKept) {
  for (const std::size_t size : {0, 31, 33, 100'000}) {
    const std::string bytes(size, 'x');
    ASSERT_TRUE(os::replace_file(path_, bytes, 0600, os::Durability::Cached).has_value());
    EXPECT_EQ(SealingKey::open(path_).error().code, Code::DataLoss) << size;
    EXPECT_EQ(os::read_file(path_, 1U << 20).value(), bytes);
  }
}

// Appendix A.3.1 of draft-irtf-cfrg-xchacha-03: what other programs seal is read alike.
TEST_F(SealingKeyTest, ThePublishedExampleIsRead) {
  std::string key;
  for (int i = 0x80; i < 0xa0; ++i) key += static_cast<char>(i);
  ASSERT_TRUE(os::replace_file(path_, key, 0600, os::Durability::Cached).has_value());
  std::string sealed;
  for (int i = 0x40; i < 0x58; ++i) sealed += static_cast<char>(i);
  sealed += from_hex(
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda"
      "7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b23835"
      "65d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
  EXPECT_EQ(open()->unseal(sealed, from_hex("50515253c0c1c2c3c4c5c6c7")).value(),
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
            "future, sunscreen would be it.");
}

TEST_F(SealingKeyTest, WipingLeavesNothing) {
  std::string secret = "long enough not to lie within the object";
  const char* bytes = secret.data();
  wipe(secret);
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(bytes[1], '\0');  // its memory is the string's still
}

TEST_F(SealingKeyTest, ALostOneIsNotReplacedWhereItWasUsed) {
  const std::string lost = folder_ / "lost.key";
  const auto opened = SealingKey::open(lost, IfMissing::Refuse);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::DataLoss);
  EXPECT_FALSE(os::exists(lost));
  ASSERT_TRUE(SealingKey::open(lost).has_value());
  EXPECT_TRUE(SealingKey::open(lost, IfMissing::Refuse).has_value());
}

}  // namespace
}  // namespace granary::base

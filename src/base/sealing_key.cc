#include "base/sealing_key.h"

#include <sodium.h>

#include "base/check.h"
#include "base/os/file.h"

namespace granary::base {
namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(SealingKey::kBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(SealingKey::kOverhead == kNonce + kTag);

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void wipe(std::string& secret) {
  ::sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

std::string random_key(std::size_t bytes) {
  ASSERT(::sodium_init() >= 0);
  std::string key(bytes, '\0');
  ::randombytes_buf(key.data(), key.size());
  return key;
}

Result<std::unique_ptr<SealingKey>> SealingKey::open(const std::string& path,
                                                     IfMissing if_missing) {
  auto key = os::read_file(path, kBytes);
  if (!key && key.error().code == Code::NotFound && if_missing == IfMissing::Refuse)
    return fail_with_advice(
        Code::DataLoss, fmt::format("{} is lost, and what was sealed with it is there still", path),
        fmt::format("Restore it from a backup. Without one nothing of that can be read again: to "
                    "go on in spite of it, make a new one with head -c {0} /dev/urandom > {1}",
                    kBytes, path));
  if (!key && key.error().code == Code::NotFound) {
    key = random_key(kBytes);
    TRY(os::replace_file(path, *key, 0600, os::Durability::Synced));
  }
  if (!key && key.error().code != Code::Exhausted) return std::unexpected(key.error());
  if (!key || key->size() != kBytes)
    return fail_with_advice(Code::DataLoss,
                            fmt::format("{} is no key: it has not {} bytes", path, kBytes),
                            "Restore it from a backup; nothing that was sealed with it can be "
                            "read without it");
  return std::unique_ptr<SealingKey>(new SealingKey(std::move(*key)));
}

SealingKey::~SealingKey() { wipe(key_); }

std::string SealingKey::seal(std::string_view plain, std::string_view context) const {
  const std::string nonce = random_key(kNonce);
  std::string sealed(plain.size() + kTag, '\0');
  ::crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(sealed), nullptr, bytes_of(plain),
                                               plain.size(), bytes_of(context), context.size(),
                                               nullptr, bytes_of(nonce), bytes_of(key_));
  return nonce + sealed;
}

Result<std::string> SealingKey::unseal(std::string_view sealed, std::string_view context) const {
  const auto damaged = [] {
    return fail(Code::DataLoss, "it was changed, sealed with another key, or is another's");
  };
  if (sealed.size() < kOverhead) return damaged();
  const std::string_view nonce = sealed.substr(0, kNonce);
  const std::string_view body = sealed.substr(kNonce);
  std::string plain(body.size() - kTag, '\0');
  const int opened = ::crypto_aead_xchacha20poly1305_ietf_decrypt(
      bytes_of(plain), nullptr, nullptr, bytes_of(body), body.size(), bytes_of(context),
      context.size(), bytes_of(nonce), bytes_of(key_));
  if (opened != 0) return damaged();
  return plain;
}

}  // namespace granary::base

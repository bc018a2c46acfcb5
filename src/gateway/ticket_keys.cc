#include "gateway/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

#include "gateway/limits.h"

namespace granary::gateway {
namespace {

bool set_mac(EVP_MAC_CTX* mac, std::array<unsigned char, 32>& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

}  // namespace

TicketKeys::TicketKeys(const base::Clock& clock) : clock_(clock), made_(clock.boot()) {
  renew(before_);  // opens nothing, since nothing was sealed with it
  good_ = renew(newest_);
}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(&newest_, sizeof newest_);
  OPENSSL_cleanse(&before_, sizeof before_);
}

// Random bits that OpenSSL keeps apart for what must stay secret.
bool TicketKeys::renew(Key& key) {
  return RAND_priv_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
         RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
         RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
}

// A ticket lives between one and two times kTicketKey.
bool TicketKeys::rotate() {
  const base::BootTime age = clock_.boot() - made_;
  if (good_ && age < kTicketKey) return true;
  before_ = newest_;
  if (age >= 2 * kTicketKey) renew(before_);  // nobody came for so long: all tickets are too old
  made_ = clock_.boot();
  good_ = renew(newest_);
  return good_;
}

int TicketKeys::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                     EVP_MAC_CTX* mac) {
  if (!rotate() || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return kFailed;
  std::ranges::copy(newest_.name, name);
  const bool ready =
      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, newest_.cipher.data(), iv) == 1 &&
      set_mac(mac, newest_.mac);
  return ready ? kGood : kFailed;
}

int TicketKeys::open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                     EVP_MAC_CTX* mac) {
  if (!rotate()) return kFailed;
  Key* const key = std::equal(newest_.name.begin(), newest_.name.end(), name)   ? &newest_
                   : std::equal(before_.name.begin(), before_.name.end(), name) ? &before_
                                                                                : nullptr;
  if (key == nullptr) return kUnknown;
  const bool ready =
      set_mac(mac, key->mac) &&
      EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1;
  if (!ready) return kFailed;
  return key == &newest_ ? kGood : kReplace;
}

}  // namespace granary::gateway

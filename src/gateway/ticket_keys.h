// The keys that seal session tickets, with which a client comes back without a whole handshake.
// Kept in memory alone and replaced with time: who steals one can open what was recorded under it
// in TLS 1.2, and no more than that. Owned by the Tls; one thread.
#pragma once

#include <openssl/types.h>

#include <array>

#include "base/clock.h"

namespace granary::gateway {

class TicketKeys final {
 public:
  explicit TicketKeys(const base::Clock& clock);
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // What OpenSSL asks for (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)), and its numbers for how it
  // went: to seal a new ticket under the newest key, or to open one.
  static constexpr int kFailed = -1;
  static constexpr int kUnknown = 0;  // not ours, or too old
  static constexpr int kGood = 1;
  static constexpr int kReplace = 2;  // good, and to be replaced by a new one
  int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
  int open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
           EVP_MAC_CTX* mac);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
  };
  static bool renew(Key& key);
  bool rotate();

  const base::Clock& clock_;
  Key newest_;
  Key before_;
  base::BootTime made_;
  bool good_ = false;  // newest_ holds a key
};

}  // namespace granary::gateway

// An installation's signature: Ed25519 (RFC 8032) over OpenSSL, and the envelope that signed
// documents travel in (DSSE, github.com/secure-systems-lab/dsse, protocol.md). Anyone with the
// public key can check them, with OpenSSL alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/sealing_key.h"

namespace granary::base {

class SigningKey final {
 public:
  // From the PEM file at `path` (PKCS #8); where it is missing it may be made, mode 0600, durably.
  // Errors: DataLoss (no such key in it, or there must be one), Refused, NoRoom. Blocking.
  static Result<std::unique_ptr<SigningKey>> open(const std::string& path,
                                                  IfMissing if_missing = IfMissing::Make);
  ~SigningKey();
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  // 64 bytes. Any thread.
  std::string sign(std::string_view message) const;
  std::string public_pem() const;  // SubjectPublicKeyInfo
  std::string id() const;          // SHA-256 of public_pem(), in hex

 private:
  struct State;
  explicit SigningKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// {"payloadType", "payload", "signatures": [{"keyid", "sig"}], "publicKey"}: DSSE, and the key.
json::object seal(const SigningKey& key, const std::string& payload_type,
                  const std::string& payload);
// The payload of an envelope that this key signed. Errors: InvalidArgument (no envelope), Refused
// (another key, or changed since).
Result<std::string> unseal(const json::object& envelope, const std::string& public_pem);

std::string to_base64(std::string_view bytes);
// Errors: InvalidArgument.
Result<std::string> from_base64(std::string_view text);

}  // namespace granary::base

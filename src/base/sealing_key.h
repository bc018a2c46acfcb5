// A key that seals small texts for keeping on disk: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha),
// each sealed text bound to a context that says whose it is and what for. The key is a file of its
// own; whoever has the sealed bytes alone reads nothing. Opening blocks; the rest is usable from
// any thread. Not for data of more than some megabytes, nor for passwords.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace granary::base {

// Overwrites what the text holds, and empties it. For what must not stay in memory.
void wipe(std::string& secret);

// From the kernel's generator, for keys.
std::string random_key(std::size_t bytes);

// What to do where there is no key yet.
enum class IfMissing {
  Make,
  Refuse,  // things exist that were made with it: another one would be of no use
};

class SealingKey final {
 public:
  static constexpr std::size_t kBytes = 32;
  // What sealing adds to a text's length: the nonce and the tag.
  static constexpr std::size_t kOverhead = 24 + 16;

  // The key in this file, of kBytes. Where there is none it may be made, mode 0600, durably; its
  // folder exists. Errors: DataLoss (the file is no key, or there must be one), Refused, NoRoom.
  static Result<std::unique_ptr<SealingKey>> open(const std::string& path,
                                                  IfMissing if_missing = IfMissing::Make);
  ~SealingKey();  // wiped
  SealingKey(const SealingKey&) = delete;
  SealingKey& operator=(const SealingKey&) = delete;

  // A random nonce and what it was sealed with: different bytes each time.
  std::string seal(std::string_view plain, std::string_view context) const;
  // Errors: DataLoss: changed since, sealed with another key, or in another context.
  Result<std::string> unseal(std::string_view sealed, std::string_view context) const;

 private:
  explicit SealingKey(std::string key) : key_(std::move(key)) {}
  std::string key_;
};

}  // namespace granary::base

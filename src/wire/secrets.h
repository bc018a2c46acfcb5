// An account's secrets, as documents carry them: names and values, checked. In a document a value
// is base 64, since a secret may be any bytes. Pure functions. Not for keeping them: on disk they
// are sealed (agent/account_secrets.h).
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace granary::wire {

using Secrets = std::map<std::string, std::string>;  // name to value

inline constexpr std::size_t kMaxSecrets = 64;             // of an account
inline constexpr std::size_t kMaxSecretName = 64;          // letters
inline constexpr std::size_t kMaxSecretBytes = 64U << 10;  // of one value
inline constexpr std::size_t kMaxAllSecretBytes = 1U
                                                  << 20;  // of all values: a frame must hold them

// [A-Z][A-Z0-9_]{0,63}: it becomes the name of a file.
bool is_secret_name(std::string_view name);
// Errors: InvalidArgument naming the secret, never its value.
base::Result<void> check_secrets(const Secrets& secrets);

base::json::object secrets_to_json(const Secrets& secrets);
// Errors: InvalidArgument, as check_secrets.
base::Result<Secrets> secrets_from(const base::json::object& from);

}  // namespace granary::wire

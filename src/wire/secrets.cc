#include "wire/secrets.h"

#include <algorithm>

#include "base/signature.h"
#include "base/text.h"

namespace granary::wire {

using base::Code;
using base::Result;

bool is_secret_name(std::string_view name) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto plain = [&](char c) { return capital(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= kMaxSecretName && capital(name.front()) &&
         std::ranges::all_of(name, plain);
}

Result<void> check_secrets(const Secrets& secrets) {
  if (secrets.size() > kMaxSecrets)
    return base::fail(Code::InvalidArgument, "an account has at most {} secrets", kMaxSecrets);
  std::size_t total = 0;
  for (const auto& [name, value] : secrets) {
    if (!is_secret_name(name))
      return base::fail_with_advice(
          Code::InvalidArgument, base::quote(name) + " is not a valid secret name",
          "Use capital letters, digits and _, beginning with a letter, at most 64 in all");
    if (value.size() > kMaxSecretBytes)
      return base::fail(Code::InvalidArgument, "secret {} is longer than {} bytes", name,
                        kMaxSecretBytes);
    total += value.size();
  }
  if (total > kMaxAllSecretBytes)
    return base::fail(Code::InvalidArgument, "an account's secrets have at most {} bytes together",
                      kMaxAllSecretBytes);
  return {};
}

base::json::object secrets_to_json(const Secrets& secrets) {
  base::json::object document;
  for (const auto& [name, value] : secrets) document[name] = base::to_base64(value);
  return document;
}

Result<Secrets> secrets_from(const base::json::object& from) {
  Secrets secrets;
  for (const auto& member : from) {
    const std::string name(member.key());
    const auto* text = member.value().if_string();
    auto value = text == nullptr ? base::fail(Code::InvalidArgument, "no text")
                                 : base::from_base64(std::string_view(text->data(), text->size()));
    // Said without what it was.
    if (!value)
      return base::fail(Code::InvalidArgument, "member 'secrets': {} must be base 64",
                        base::quote(name));
    secrets.emplace(name, std::move(*value));
  }
  TRY(check_secrets(secrets));
  return secrets;
}

}  // namespace granary::wire

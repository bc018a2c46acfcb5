// The API's documents about who gets in, and what an installation signs. See documents.h for what
// documents are.
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace granary::api_wire {

struct TokenDocument {
  std::string id;
  std::string role;
  std::string label;
  std::string created;
  std::optional<std::string> expires;
  std::optional<std::string> revoked;
  std::optional<std::string> secret;  // once, in the answer to its creation
  bool operator==(const TokenDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(TokenDocument, (), (id, role, label, created, expires, revoked, secret))

struct TokenList {
  std::vector<TokenDocument> items;  // oldest first
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(TokenList, (), (items, next))

struct CreateTokenDocument {
  std::string role;
  std::optional<std::string> label;
  std::optional<std::string> ttl;  // "12h"; missing: until revoked
};
BOOST_DESCRIBE_STRUCT(CreateTokenDocument, (), (role, label, ttl))

// What `granary verify` found; signed as it stands.
struct VerificationDocument {
  base::json::object report;
};
BOOST_DESCRIBE_STRUCT(VerificationDocument, (), (report))

struct SignedDocument {
  base::json::object envelope;  // DSSE; base/signature.h
};
BOOST_DESCRIBE_STRUCT(SignedDocument, (), (envelope))

}  // namespace granary::api_wire

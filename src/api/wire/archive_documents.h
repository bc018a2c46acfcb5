// The API's documents about what is kept of tenants: archives, and certificates of what was
// destroyed. See documents.h for what documents are.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace granary::api_wire {

struct ArchiveDocument {
  std::string id;
  std::string tenant;  // whose data it holds; it may be gone
  std::string kind;    // export, final (made by an offboarding), upload (to be restored)
  std::uint64_t bytes = 0;
  std::string sha256;  // of the file, in hex
  std::string created;
  std::string expires;
  bool operator==(const ArchiveDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ArchiveDocument, (), (id, tenant, kind, bytes, sha256, created, expires))

struct ArchiveList {
  std::vector<ArchiveDocument> items;  // oldest first
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(ArchiveList, (), (items, next))

struct ExportDocument {
  std::optional<std::string> keep;  // the archive, so long: "24h", which is the default
};
BOOST_DESCRIBE_STRUCT(ExportDocument, (), (keep))

struct RestoreDocument {
  std::string archive;
  // true: the tenant is there, and its data is replaced. Missing or false: a tenant is made.
  std::optional<bool> replace;
  std::optional<std::string> release;  // of a new tenant; missing: the archive's
};
BOOST_DESCRIBE_STRUCT(RestoreDocument, (), (archive, replace, release))

struct CertificateDocument {
  std::string operation;  // the offboarding's; the certificate's name
  std::string tenant;
  std::string created;
  std::optional<base::json::object> envelope;  // DSSE, when one is asked for; base/signature.h
  bool operator==(const CertificateDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(CertificateDocument, (), (operation, tenant, created, envelope))

struct CertificateList {
  std::vector<CertificateDocument> items;  // newest first
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(CertificateList, (), (items, next))

// A key under which this installation signs certificates and verifications.
struct SigningKeyDocument {
  std::string id;          // SHA-256 of public_key, in hex
  std::string public_key;  // PEM, SubjectPublicKeyInfo
  bool operator==(const SigningKeyDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(SigningKeyDocument, (), (id, public_key))

struct SigningKeyList {
  std::vector<SigningKeyDocument> items;  // the one in use first; never more than one page
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(SigningKeyList, (), (items, next))

}  // namespace granary::api_wire

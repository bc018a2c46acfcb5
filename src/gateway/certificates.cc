#include "gateway/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/log.h"
#include "gateway/host.h"
#include "gateway/limits.h"
#include "gateway/openssl.h"

namespace granary::gateway {

using base::Code;
using base::Result;

namespace {

constexpr std::string_view kChainEnd = ".crt";
constexpr std::string_view kKeyEnd = ".key";
constexpr std::string_view kDefault = "default";

Owned<BIO> bio_over(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key that asks for a password would wait for somebody to type it.
int no_password(char* /*into*/, int /*size*/, int /*writing*/, void* /*given*/) { return -1; }

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_lower);
  return result;
}

// The DNS names of its subjectAltName. Its common name says nothing (RFC 9525, 2).
std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int at = 0; at < sk_GENERAL_NAME_num(all); ++at) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, at);
    if (name->type != GEN_DNS) continue;
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    names.push_back(lower({bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  GENERAL_NAMES_free(all);
  return names;
}

Result<base::WallTime> to_wall(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1)
    return base::fail(Code::InvalidArgument, "the certificate's dates cannot be read");
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&fields)));
}

base::Failure unusable(std::string message, std::string advice) {
  return base::fail_with_advice(Code::InvalidArgument, std::move(message), std::move(advice));
}

}  // namespace

struct Certificate::Parts {
  Owned<X509> leaf;
  Owned<STACK_OF(X509)> chain;
  Owned<EVP_PKEY> key;
};

Certificate::Certificate(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)), names_(names_of(parts_->leaf.get())) {}
Certificate::~Certificate() = default;

namespace {

// What follows the first certificate of a file.
Owned<STACK_OF(X509)> read_chain(BIO* from) {
  Owned<STACK_OF(X509)> chain(sk_X509_new_null());
  while (X509* next = PEM_read_bio_X509(from, nullptr, no_password, nullptr))
    sk_X509_push(chain.get(), next);
  ERR_clear_error();  // the end of the file is one
  return chain;
}

// Used once for nothing, so that what OpenSSL does not accept is known before a client comes.
Result<void> try_out(const Certificate& certificate) {
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  const Owned<SSL> ssl(context ? SSL_new(context.get()) : nullptr);
  if (ssl && certificate.use_for(ssl.get())) return {};
  const unsigned long code = ERR_peek_error();
  if (ERR_GET_REASON(code) == SSL_R_PRIVATE_KEY_MISMATCH) {
    ERR_clear_error();
    return unusable("the key is not the certificate's",
                    "Put both files of one pair there, written by the same issuance");
  }
  return unusable("OpenSSL refuses the pair: " + openssl_reason(),
                  "Use an ECDSA P-256 key, or RSA of at least 2048 bits");
}

Result<void> check_dates(base::WallTime from, base::WallTime until, base::WallTime now) {
  if (now >= until)
    return base::fail_with_advice(
        Code::Refused, "the certificate has expired at " + base::to_rfc3339(until), "Renew it");
  if (now < from)
    return base::fail_with_advice(Code::Refused,
                                  "the certificate is not valid before " + base::to_rfc3339(from),
                                  "Wait until then, or look whether this machine's clock is right");
  return {};
}

}  // namespace

Result<SharedCertificate> Certificate::parse(std::string_view chain, std::string_view key,
                                             base::WallTime now) {
  ERR_clear_error();
  auto parts = std::make_unique<Parts>();
  const Owned<BIO> chain_bio = bio_over(chain);
  parts->leaf.reset(PEM_read_bio_X509(chain_bio.get(), nullptr, no_password, nullptr));
  if (!parts->leaf)
    return unusable("there is no certificate in the .crt file: " + openssl_reason(),
                    "It must be PEM, the certificate first and then those that signed it");
  parts->chain = read_chain(chain_bio.get());
  const Owned<BIO> key_bio = bio_over(key);
  parts->key.reset(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_password, nullptr));
  if (!parts->key)
    return unusable("there is no private key in the .key file: " + openssl_reason(),
                    "It must be PEM, and without a password");
  TRY_ASSIGN(const base::WallTime from, to_wall(X509_get0_notBefore(parts->leaf.get())));
  TRY_ASSIGN(const base::WallTime until, to_wall(X509_get0_notAfter(parts->leaf.get())));
  std::shared_ptr<Certificate> made(new Certificate(std::move(parts)));
  made->not_after_ = until;
  TRY(try_out(*made));
  TRY(check_dates(from, until, now));
  return made;
}

bool Certificate::use_for(SSL* ssl) const {
  return SSL_use_cert_and_key(ssl, parts_->leaf.get(), parts_->key.get(), parts_->chain.get(), 1) ==
         1;
}

bool Certificate::covers(std::string_view host) const {
  const std::size_t dot = host.find('.');
  const std::string_view rest = dot == std::string_view::npos ? "" : host.substr(dot);
  return std::ranges::any_of(names_, [&](std::string_view name) {
    if (!name.starts_with("*.")) return name == host;
    return dot > 0 && name.substr(1) == rest;
  });
}

CertificateSet::CertificateSet(Pairs pairs) : pairs_(std::move(pairs)) {
  for (const auto& [name, pair] : pairs_) {
    if (!pair.certificate) continue;
    add(*pair.certificate);
    if (name == kDefault) default_ = pair.certificate.get();
  }
}

void CertificateSet::add(const Certificate& certificate) {
  for (const std::string_view name : certificate.names()) {
    const bool wildcard = name.starts_with("*.");
    auto& index = wildcard ? wildcards_ : exact_;
    const auto [at, fresh] = index.try_emplace(wildcard ? name.substr(1) : name, &certificate);
    if (!fresh && at->second->not_after() < certificate.not_after()) at->second = &certificate;
  }
}

const Certificate* CertificateSet::find(std::string_view name) const {
  if (const auto found = exact_.find(name); found != exact_.end()) return found->second;
  if (const std::size_t dot = name.find('.'); dot != std::string_view::npos && dot > 0)
    if (const auto found = wildcards_.find(name.substr(dot)); found != wildcards_.end())
      return found->second;
  return default_;
}

std::size_t CertificateSet::size() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      pairs_, [](const auto& entry) { return entry.second.certificate != nullptr; }));
}

std::size_t CertificateSet::problems() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      pairs_, [](const auto& entry) { return !entry.second.problem.empty(); }));
}

base::WallTime CertificateSet::earliest_end() const {
  base::WallTime earliest{};
  for (const auto& [name, pair] : pairs_) {
    if (!pair.certificate) continue;
    const base::WallTime end = pair.certificate->not_after();
    if (earliest == base::WallTime{} || end < earliest) earliest = end;
  }
  return earliest;
}

namespace {

Result<base::os::FileStamp> stamp_of(const std::string& path) {
  auto stamp = base::os::file_stamp(path);
  if (!stamp && stamp.error().code == Code::NotFound)
    return base::fail_with_advice(Code::NotFound, fmt::format("there is no {}", path),
                                  "Put both files of the pair there: NAME.crt and NAME.key");
  return stamp;
}

Result<SharedCertificate> read_pair(const std::string& path, base::WallTime now) {
  TRY_ASSIGN(const std::string chain,
             base::os::read_file(path + std::string(kChainEnd), kCertificateFile));
  TRY_ASSIGN(const std::string key,
             base::os::read_file(path + std::string(kKeyEnd), kCertificateFile));
  TRY_ASSIGN(SharedCertificate certificate, Certificate::parse(chain, key, now));
  if (certificate->names().empty() && !path.ends_with("/" + std::string(kDefault)))
    return unusable("the certificate names no host in its subjectAltName",
                    "Have it issued with DNS names, such as subjectAltName=DNS:acme.example.com");
  return certificate;
}

// Loads one pair into `pair`, which holds what was in force before.
Result<void> refresh(CertificateSet::Pair& pair, const std::string& path, base::WallTime now) {
  TRY_ASSIGN(const auto chain_stamp, stamp_of(path + std::string(kChainEnd)));
  TRY_ASSIGN(const auto key_stamp, stamp_of(path + std::string(kKeyEnd)));
  const bool same = chain_stamp == pair.chain_stamp && key_stamp == pair.key_stamp;
  if (same && pair.certificate) return {};
  TRY_ASSIGN(pair.certificate, read_pair(path, now));
  pair.chain_stamp = chain_stamp;
  pair.key_stamp = key_stamp;
  return {};
}

// As refresh(), with a problem noted in the pair, and logged once. True when anything is different.
bool follow(CertificateSet::Pair& pair, const std::string& path, base::WallTime now) {
  const SharedCertificate before = pair.certificate;
  const Result<void> refreshed = refresh(pair, path, now);
  const std::string problem = refreshed ? "" : base::describe(refreshed.error());
  const bool news = problem != pair.problem;
  if (news && !problem.empty())
    base::log::error("the certificate {}.crt {}: {}", base::log::escape(path),
                     before ? "stays as it was" : "is not used", base::log::escape(problem));
  pair.problem = problem;
  return news || before != pair.certificate;
}

// The NAMEs of which a .crt or a .key is there.
Result<std::vector<std::string>> pair_names(const std::string& folder) {
  TRY_ASSIGN(const auto files, base::os::list_folder(folder));
  std::vector<std::string> names;
  for (const std::string& file : files)
    for (const std::string_view end : {kChainEnd, kKeyEnd})
      if (file.ends_with(end) && file.size() > end.size())
        names.push_back(file.substr(0, file.size() - end.size()));
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  if (names.size() > kCertificates)
    return base::fail_with_advice(
        Code::Exhausted, fmt::format("{} holds {} certificates", folder, names.size()),
        fmt::format("At most {} are served; use wildcards", kCertificates));
  return names;
}

}  // namespace

Result<SharedCertificates> load_certificates(const std::string& folder,
                                             const SharedCertificates& before, base::WallTime now) {
  TRY_ASSIGN(const auto names, pair_names(folder));
  CertificateSet::Pairs pairs;
  bool changed = !before || before->pairs().size() != names.size();
  for (const std::string& name : names) {
    CertificateSet::Pair& pair = pairs[name];
    const auto old = before ? before->pairs().find(name) : decltype(before->pairs().end()){};
    const bool known = before && old != before->pairs().end();
    if (known) pair = old->second;
    changed = follow(pair, fmt::format("{}/{}", folder, name), now) || !known || changed;
  }
  if (!changed) return before;
  return std::make_shared<const CertificateSet>(std::move(pairs));
}

}  // namespace granary::gateway

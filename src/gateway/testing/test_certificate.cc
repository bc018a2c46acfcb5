#include "gateway/testing/test_certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/os/file.h"
#include "gateway/openssl.h"

namespace granary::gateway::testing {
namespace {

std::string text_of(const Owned<BIO>& bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

Owned<EVP_PKEY> make_key(const CertificateOptions& options) {
  if (options.short_rsa)
    return Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
  return Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

void set_time(ASN1_TIME* into, base::WallTime time) {
  ASN1_TIME_set(into, std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

void add_names(X509* certificate, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "DNS:" : ",DNS:") + name;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, text.c_str());
  ASSERT(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// Signed by `issuer`, or by itself where that is null.
Owned<X509> make_x509(const CertificateOptions& options, EVP_PKEY* key, const char* subject,
                      EVP_PKEY* issuer) {
  Owned<X509> made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
  set_time(X509_getm_notBefore(made.get()), options.from);
  set_time(X509_getm_notAfter(made.get()), options.until);
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  X509_set_pubkey(made.get(), key);
  if (!options.names.empty()) add_names(made.get(), options.names);
  ASSERT(X509_sign(made.get(), issuer == nullptr ? key : issuer, EVP_sha256()) > 0);
  return made;
}

}  // namespace

TestCertificate make_certificate(const CertificateOptions& options) {
  const Owned<EVP_PKEY> key = make_key(options);
  const Owned<EVP_PKEY> authority = make_key({});
  EVP_PKEY* const issuer = options.through_intermediate ? authority.get() : nullptr;
  const Owned<BIO> chain(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(chain.get(), make_x509(options, key.get(), "test", issuer).get());
  if (issuer != nullptr)
    PEM_write_bio_X509(chain.get(), make_x509({}, issuer, "authority", nullptr).get());
  const Owned<BIO> secret(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(chain), text_of(secret)};
}

void write_certificate(const std::string& folder, const std::string& name,
                       const TestCertificate& certificate) {
  using base::os::Durability;
  using base::os::replace_file;
  const std::string path = folder + "/" + name;
  ASSERT(replace_file(path + ".crt", certificate.chain, 0600, Durability::Cached).has_value());
  ASSERT(replace_file(path + ".key", certificate.key, 0600, Durability::Cached).has_value());
}

std::string ticket_of(const SSL_SESSION& session) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket(&session, &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

// Two buffers in memory stand for the socket: what OpenSSL wants to send lies in `out`.
struct TlsClient::State {
  Owned<SSL_CTX> context;
  Owned<SSL> ssl;
  BIO* in = nullptr;
  BIO* out = nullptr;
};

TlsClient::TlsClient(GatewayWorld& world, TestClient& client, const TlsClientOptions& options)
    : world_(world), client_(client), state_(std::make_unique<State>()) {
  state_->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = state_->context.get();
  SSL_CTX_set_security_level(context,
                             0);  // old versions are to be refused by the gateway, not here
  SSL_CTX_set_min_proto_version(context, options.version);
  SSL_CTX_set_max_proto_version(context, options.version);
  state_->ssl.reset(SSL_new(context));
  SSL* const ssl = state_->ssl.get();
  state_->in = BIO_new(BIO_s_mem());
  state_->out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, state_->in, state_->out);
  SSL_set_connect_state(ssl);
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(ssl, options.server_name.c_str());
  std::string protocols;
  for (const std::string& protocol : options.protocols)
    protocols += static_cast<char>(protocol.size()) + protocol;
  SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  if (options.resume != nullptr) SSL_set_session(ssl, options.resume);
}
// OpenSSL would not resume the session of a connection that just went.
TlsClient::~TlsClient() {
  SSL_set_shutdown(state_->ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void TlsClient::flush() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(state_->out, &data);
  if (size > 0) client_.send({data, static_cast<std::size_t>(size)});
  BIO_reset(state_->out);
}

// Whether bytes of the gateway were there.
bool TlsClient::fill() {
  client_.poll();
  if (client_.inbox().empty()) return false;
  BIO_write(state_->in, client_.inbox().data(), static_cast<int>(client_.inbox().size()));
  client_.inbox().clear();
  return true;
}

bool TlsClient::handshake() {
  int result = 0;
  bool failed = false;
  world_.wait_for(
      [&] {
        fill();
        ERR_clear_error();
        result = SSL_do_handshake(state_->ssl.get());
        failed = result != 1 && SSL_get_error(state_->ssl.get(), result) != SSL_ERROR_WANT_READ;
        const unsigned long error = ERR_peek_error();
        flush();
        if (failed && ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET)
          alert_ = SSL_alert_desc_string_long(ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET);
        return result == 1 || failed || client_.over();
      },
      "a handshake");
  return result == 1;
}

void TlsClient::send(std::string_view bytes) {
  std::size_t written = 0;
  ASSERT(SSL_write_ex(state_->ssl.get(), bytes.data(), bytes.size(), &written) == 1);
  flush();
}

// Whether something came, or the end.
bool TlsClient::pull() {
  fill();
  char bytes[16384];
  for (;;) {
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(state_->ssl.get(), bytes, sizeof bytes, &got);
    plain_.append(bytes, got);
    if (result == 1) continue;
    const int error = SSL_get_error(state_->ssl.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) ended_ = true;
    if (error == SSL_ERROR_SSL) {
      const int reason = ERR_GET_REASON(ERR_peek_error());
      if (reason >= SSL_AD_REASON_OFFSET)
        alert_ = SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
      return true;
    }
    flush();
    return ended_ || client_.over();
  }
}

std::string TlsClient::read(std::size_t count) {
  world_.wait_for([&] { return pull() || plain_.size() >= count; }, "bytes within TLS");
  std::string bytes = plain_.substr(0, count);
  plain_.erase(0, bytes.size());
  return bytes;
}

Answer TlsClient::answer() {
  Answer answer;
  world_.wait_for([&] { return pull() || plain_.find("\r\n\r\n") != std::string::npos; },
                  "the head of an answer within TLS");
  const std::size_t end = plain_.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.head = plain_.substr(0, end + 2);
  plain_.erase(0, end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  const std::string length = answer.field("Content-Length");
  if (!length.empty()) answer.body = read(std::stoul(length));
  answer.whole = length.empty() || answer.body.size() == std::stoul(length);
  return answer;
}

Answer TlsClient::get(std::string_view path, std::string_view host, std::string_view fields) {
  send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", path, host, fields));
  return answer();
}

bool TlsClient::said_end() {
  world_.wait_for([&] { return pull(); }, "the end of TLS");
  return ended_;
}

std::vector<std::string> TlsClient::peer_names() const {
  const Owned<X509> certificate(SSL_get1_peer_certificate(state_->ssl.get()));
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int at = 0; at < sk_GENERAL_NAME_num(all); ++at)
    names.emplace_back(reinterpret_cast<const char*>(
        ASN1_STRING_get0_data(sk_GENERAL_NAME_value(all, at)->d.dNSName)));
  GENERAL_NAMES_free(all);
  return names;
}

std::size_t TlsClient::peer_chain() const {
  return static_cast<std::size_t>(sk_X509_num(SSL_get_peer_cert_chain(state_->ssl.get())));
}

std::string TlsClient::protocol() const {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(state_->ssl.get(), &data, &size);
  return {reinterpret_cast<const char*>(data), size};
}

std::string TlsClient::version() const { return SSL_get_version(state_->ssl.get()); }
bool TlsClient::resumed() const { return SSL_session_reused(state_->ssl.get()) == 1; }

std::shared_ptr<SSL_SESSION> TlsClient::session() const {
  return {SSL_get1_session(state_->ssl.get()), SSL_SESSION_free};
}

void TlsClient::update_keys() {
  ASSERT(SSL_key_update(state_->ssl.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
  ASSERT(SSL_do_handshake(state_->ssl.get()) == 1);
  flush();
}

bool TlsClient::renegotiate() {
  SSL_renegotiate(state_->ssl.get());
  return handshake();
}

void TlsClient::say_end() {
  SSL_shutdown(state_->ssl.get());
  flush();
}

}  // namespace granary::gateway::testing

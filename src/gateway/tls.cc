#include "gateway/tls.h"

#include <algorithm>

#include "gateway/host.h"
#include "gateway/limits.h"
#include "gateway/openssl.h"

namespace granary::gateway {

using base::Code;

namespace {

// Mozilla's intermediate profile (wiki.mozilla.org/Security/Server_Side_TLS, 5.7), without its
// ciphers over finite-field Diffie-Hellman, which cost the most and which only long-dead clients
// need. All are forward secret; the client's order counts, which knows what its processor is good
// at.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::string_view kHttp11 = "http/1.1";

// ---- what OpenSSL reads and writes through: the socket, without signals for a peer that is gone

TcpSocket& socket_of(BIO* bio) { return *static_cast<TcpSocket*>(BIO_get_data(bio)); }

int read_socket(BIO* bio, char* into, std::size_t room, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  ErrorCode error;
  *got = socket_of(bio).read_some(asio::buffer(into, room), error);
  if (error == asio::error::would_block) BIO_set_retry_read(bio);
  return error ? 0 : 1;
}

int write_socket(BIO* bio, const char* bytes, std::size_t count, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  ErrorCode error;
  *written = socket_of(bio).write_some(asio::buffer(bytes, count), error);
  if (error == asio::error::would_block) BIO_set_retry_write(bio);
  return error ? 0 : 1;
}

long control_socket(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const Owned<BIO_METHOD> method = [] {
    Owned<BIO_METHOD> made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    ASSERT(made && BIO_meth_set_read_ex(made.get(), read_socket) == 1 &&
           BIO_meth_set_write_ex(made.get(), write_socket) == 1 &&
           BIO_meth_set_ctrl(made.get(), control_socket) == 1);
    return made;
  }();
  return method.get();
}

// ---- what OpenSSL asks

int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* /*arg*/) {
  for (unsigned at = 0; at < offered_size; at += offered[at] + 1U) {
    const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
    if (name != kHttp11) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol
}

int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                   EVP_MAC_CTX* mac, int sealing) {
  auto& keys = *static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (sealing == 1) return keys.seal(name, iv, cipher, mac);
  const int opened = keys.open(name, iv, cipher, mac);
  // A client of TLS 1.3 uses a ticket once (RFC 8446, C.4), and gets the next one.
  return opened == TicketKeys::kGood && SSL_version(ssl) == TLS1_3_VERSION ? TicketKeys::kReplace
                                                                           : opened;
}

}  // namespace

void Tls::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

Tls::Tls(const base::Clock& clock, SharedCertificates certificates)
    : context_(SSL_CTX_new(TLS_server_method())),
      tickets_(clock),
      certificates_(std::move(certificates)) {}
Tls::~Tls() = default;

base::Result<std::unique_ptr<Tls>> Tls::make(const base::Clock& clock,
                                             SharedCertificates certificates) {
  ERR_clear_error();
  std::unique_ptr<Tls> tls(new Tls(clock, std::move(certificates)));
  if (tls->context_ && tls->set_up()) return tls;
  return base::fail(Code::Internal, "OpenSSL cannot be set up: {}", openssl_reason());
}

bool Tls::set_up() {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // a record and its head in one system call
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets: nothing to keep here
  SSL_CTX_set_timeout(context, std::chrono::seconds(kTicketKey).count());
  SSL_CTX_set_app_data(context, &tickets_);
  SSL_CTX_set_tlsext_servername_callback(context, TlsChannel::name_asked);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers) == 1 &&
         SSL_CTX_set_ciphersuites(context, kSuites) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
         SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_ticket_key) == 1;
}

// ---- one connection

void TlsChannel::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

TlsChannel::TlsChannel(const Tls& tls, TcpSocket& socket, Blocks& blocks)
    : certificates_(tls.certificates()), blocks_(blocks), ssl_(SSL_new(tls.context())) {
  ASSERT(ssl_ != nullptr);
  BIO* const bio = BIO_new(socket_method());
  ASSERT(bio != nullptr);
  BIO_set_data(bio, &socket);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // which owns it from now on
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_accept_state(ssl_.get());
}

TlsChannel::~TlsChannel() = default;

// Called within a handshake, also where the client names no server and where it comes back.
int TlsChannel::name_asked(SSL* ssl, int* alert, void* /*arg*/) {
  const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  auto& channel = *static_cast<TlsChannel*>(SSL_get_app_data(ssl));
  if (channel.choose(asked == nullptr ? "" : asked)) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool TlsChannel::choose(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), to_lower);
  certificate_ = certificates_->find(lower);
  return certificate_ != nullptr && certificate_->use_for(ssl_.get());
}

bool TlsChannel::covers(std::string_view host) {
  if (host == covered_) return true;
  if (certificate_ == nullptr || !certificate_->covers(host)) return false;
  covered_ = host;
  return true;
}

TlsChannel::Step TlsChannel::step_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Step::Done;
    case SSL_ERROR_WANT_READ:
      return Step::WaitToRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::WaitToWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Step::Ended;
    default:
      failed_ = true;
      return Step::Failed;
  }
}

TlsChannel::Step TlsChannel::handshake() {
  ERR_clear_error();
  const Step step = step_of(SSL_do_handshake(ssl_.get()));
  if (step == Step::Failed) note_failure();
  return step;
}

void TlsChannel::note_failure() {
  constexpr int kFirstAlert = SSL_AD_REASON_OFFSET;  // reasons from here on: the client said so
  const int reason = ERR_GET_REASON(ERR_peek_error());
  if (reason == SSL_R_CALLBACK_FAILED && certificate_ == nullptr)
    failure_ = TlsFailure::UnknownName;
  else if (reason == SSL_R_HTTP_REQUEST)
    failure_ = TlsFailure::PlainHttp;
  else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_NO_SHARED_CIPHER ||
           reason == SSL_R_VERSION_TOO_LOW || reason == SSL_R_NO_PROTOCOLS_AVAILABLE)
    failure_ = TlsFailure::Version;
  else if (reason == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING || reason >= kFirstAlert)
    failure_ = TlsFailure::Client;
  ERR_clear_error();
}

TlsChannel::Step TlsChannel::read(asio::mutable_buffer room, std::size_t& got) {
  got = 0;
  if (failed_) return Step::Failed;
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &got);
  return result == 1 ? Step::Done : step_of(result);
}

// As much as one record holds: head and body of an answer are one piece, in one system call.
void TlsChannel::fill(Gather& bytes) {
  if (!held_) held_ = blocks_.take();
  static_assert(kTlsRecord <= kBlockBytes);
  held_begin_ = held_end_ = 0;
  while (bytes.bytes() > 0 && held_end_ < kTlsRecord) {
    const asio::const_buffer next = *bytes.begin();
    const std::size_t part = std::min(next.size(), kTlsRecord - held_end_);
    std::memcpy(held_.data() + held_end_, next.data(), part);
    held_end_ += part;
    bytes.consume(part);
  }
}

TlsChannel::Step TlsChannel::write(Gather& bytes) {
  while (holds_bytes() || bytes.bytes() > 0) {
    if (failed_) return Step::Failed;
    if (!holds_bytes()) fill(bytes);
    ERR_clear_error();
    std::size_t written = 0;
    const int result =
        SSL_write_ex(ssl_.get(), held_.data() + held_begin_, held_end_ - held_begin_, &written);
    if (result != 1) return step_of(result);
    held_begin_ += written;
  }
  held_.release();
  held_begin_ = held_end_ = 0;
  return Step::Done;
}

TlsChannel::Step TlsChannel::look() {
  if (failed_) return Step::Failed;
  ERR_clear_error();
  char byte = 0;
  std::size_t got = 0;
  const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
  return result == 1 ? Step::Done : step_of(result);
}

void TlsChannel::say_end() {
  if (failed_ || holds_bytes() || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace granary::gateway

// Ends TLS: Tls is what all connections of a gateway share, TlsChannel is one connection's half of
// it, over a socket that does not block. TLS 1.2 and 1.3 with the ciphers of Mozilla's intermediate
// profile, HTTP/1.1 alone (ALPN), no renegotiation, no early data. Owned by the Gateway and by a
// ClientStream; one thread. Not for deadlines and waiting: see client_stream.h.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "gateway/blocks.h"
#include "gateway/certificates.h"
#include "gateway/io.h"
#include "gateway/ticket_keys.h"

namespace granary::gateway {

// Why a handshake came to nothing.
enum class TlsFailure {
  UnknownName,  // no certificate for the name that was asked for
  Version,      // too old a version, or no cipher in common
  PlainHttp,    // the client speaks HTTP without TLS: it can be told so
  Client,       // it went, or refused what it was shown
  Other,
};
inline constexpr std::size_t kTlsFailures = 5;

class Tls final {
 public:
  // `clock` outlives it. Null when OpenSSL cannot be set up as it must be (Internal).
  static base::Result<std::unique_ptr<Tls>> make(const base::Clock& clock,
                                                 SharedCertificates certificates);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // For handshakes from now on.
  void adopt(SharedCertificates certificates) { certificates_ = std::move(certificates); }
  const SharedCertificates& certificates() const { return certificates_; }
  SSL_CTX* context() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };
  Tls(const base::Clock& clock, SharedCertificates certificates);
  bool set_up();

  std::unique_ptr<SSL_CTX, Free> context_;
  TicketKeys tickets_;
  SharedCertificates certificates_;  // not null
};

class TlsChannel final {
 public:
  // `tls`, `socket` and `blocks` outlive it. The socket does not block.
  TlsChannel(const Tls& tls, TcpSocket& socket, Blocks& blocks);
  ~TlsChannel();

  // What a step came to. After one of the two waits it is to be repeated when the socket is ready.
  enum class Step { Done, WaitToRead, WaitToWrite, Ended, Failed };

  Step handshake();
  // Of the handshake that failed.
  TlsFailure failure() const { return failure_; }

  // At least one byte when Done. Ended: the client said that it sends no more. Failed: it is gone,
  // or what it sent is not what it sealed.
  Step read(asio::mutable_buffer room, std::size_t& got);
  // All of it, when Done. What was taken from `bytes` is kept here until the socket takes it.
  Step write(Gather& bytes);
  // Whether write() has taken more than the socket has.
  bool holds_bytes() const { return held_begin_ < held_end_; }
  // What can be known of the client without waiting; takes nothing from what read() gives.
  Step look();
  // Says that no more is sent, so that the client knows an answer for whole. Not after a failure.
  void say_end();

  // Whether the certificate that this connection began under was issued for this host.
  bool covers(std::string_view host);

 private:
  friend class Tls;
  static int name_asked(SSL* ssl, int* alert, void* arg);
  bool choose(std::string_view name);
  Step step_of(int result);
  void note_failure();
  void fill(Gather& bytes);

  struct Free {
    void operator()(SSL* ssl) const;
  };
  const SharedCertificates certificates_;  // of its beginning
  const Certificate* certificate_ = nullptr;
  std::string covered_;  // the last host that covers() was true for
  Blocks& blocks_;
  Block held_;  // bytes on their way to the socket, which OpenSSL must be given again unchanged
  std::size_t held_begin_ = 0;
  std::size_t held_end_ = 0;
  TlsFailure failure_ = TlsFailure::Other;
  bool failed_ = false;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace granary::gateway

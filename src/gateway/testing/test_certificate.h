// Certificates and TLS clients for tests: real ones, made and spoken by OpenSSL. A TlsClient speaks
// through a TestClient, so that a test can also meddle with the bytes. Single-threaded.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/testing/gateway_world.h"

namespace granary::gateway::testing {

// An ECDSA P-256 key and a certificate for it, as PEM.
struct TestCertificate {
  std::string chain;
  std::string key;
};
struct CertificateOptions {
  std::vector<std::string> names;  // DNS names of its subjectAltName; none: it has none
  base::WallTime from = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  base::WallTime until = std::chrono::sys_days(std::chrono::year(2027) / 1 / 1);
  bool through_intermediate = false;  // `chain` holds two
  bool short_rsa = false;             // 1024 bits
};
TestCertificate make_certificate(const CertificateOptions& options);
// `folder`/`name`.crt and .key.
void write_certificate(const std::string& folder, const std::string& name,
                       const TestCertificate& certificate);

// The sealed bytes, as the gateway will be shown them.
std::string ticket_of(const SSL_SESSION& session);

struct TlsClientOptions {
  std::string server_name;  // empty: none is sent
  int version = 0;          // TLS1_2_VERSION, ...; 0: the newest
  std::vector<std::string> protocols = {"http/1.1"};
  SSL_SESSION* resume = nullptr;
};

class TlsClient final {
 public:
  // `client` is connected to the gateway's TLS port, and outlives this.
  TlsClient(GatewayWorld& world, TestClient& client, const TlsClientOptions& options);
  ~TlsClient();

  // True: done. False: refused; alert() says how.
  bool handshake();
  // "unrecognized name", ...; empty where none came.
  const std::string& alert() const { return alert_; }

  void send(std::string_view bytes);
  // The plain bytes until that many or the end are here.
  std::string read(std::size_t count);
  // One answer with a Content-Length.
  Answer answer();
  Answer get(std::string_view path, std::string_view host = "acme.localhost",
             std::string_view fields = "");
  // Whether the gateway said that it sends no more (close_notify).
  bool said_end();

  std::vector<std::string> peer_names() const;  // of the certificate that it showed
  std::size_t peer_chain() const;               // how many certificates
  std::string protocol() const;                 // by ALPN
  std::string version() const;
  bool resumed() const;
  std::shared_ptr<SSL_SESSION> session() const;
  // Asks for new keys, as a client may in TLS 1.3.
  void update_keys();
  // Asks for another handshake, as a client might in TLS 1.2. False: refused.
  bool renegotiate();
  void say_end();

 private:
  struct State;
  void flush();
  bool fill();
  bool pull();

  GatewayWorld& world_;
  TestClient& client_;
  std::unique_ptr<State> state_;
  std::string plain_;
  std::string alert_;
  bool ended_ = false;
};

}  // namespace granary::gateway::testing

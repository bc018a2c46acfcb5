// The certificates that the gateway answers with: pairs NAME.crt and NAME.key (PEM) of one folder,
// each serving the names in its subjectAltName, found by the name that a client asks for. Immutable
// once loaded, hence readable by any thread; the gateway swaps whole sets. Not for TLS itself: see
// tls.h.
#pragma once

#include <openssl/types.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/os/file.h"

namespace granary::gateway {

// One chain with its key.
class Certificate final {
 public:
  // `chain`: the certificate itself first, then those that signed it. Errors: InvalidArgument (no
  // PEM, another key, too weak), Refused (not valid at `now`).
  static base::Result<std::shared_ptr<const Certificate>> parse(std::string_view chain,
                                                                std::string_view key,
                                                                base::WallTime now);
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  // Whether it was issued for this host, which is in lower case. A `*` stands for one label.
  bool covers(std::string_view host) const;
  // In lower case, as in its subjectAltName.
  const std::vector<std::string>& names() const { return names_; }
  base::WallTime not_after() const { return not_after_; }
  // Makes it the one that `ssl` answers with. False: OpenSSL refused it.
  bool use_for(SSL* ssl) const;

 private:
  struct Parts;
  explicit Certificate(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
  std::vector<std::string> names_;
  base::WallTime not_after_;
};

// Shared by the sets that it is part of: one that a reload left alone is not read again.
using SharedCertificate = std::shared_ptr<const Certificate>;

class CertificateSet final {
 public:
  // What is in force of one pair of files, and why the newest of it is not.
  struct Pair {
    base::os::FileStamp chain_stamp;
    base::os::FileStamp key_stamp;
    SharedCertificate certificate;  // null: none has been good yet
    std::string problem;            // empty: the files are what is in force
  };
  using Pairs = std::map<std::string, Pair>;  // by NAME
  explicit CertificateSet(Pairs pairs);

  // For a name in lower case: exact before wildcard before the pair named `default`; of several,
  // the one that is valid longest. Null: the handshake is to be refused.
  const Certificate* find(std::string_view name) const;
  const Pairs& pairs() const { return pairs_; }
  // Pairs in force, those whose newest files cannot be used, and the earliest end of any in force
  // (the beginning of time where there is none).
  std::size_t size() const;
  std::size_t problems() const;
  base::WallTime earliest_end() const;

 private:
  void add(const Certificate& certificate);

  const Pairs pairs_;
  // By the name; a wildcard's key is what follows its `*`, as in ".example.com".
  std::unordered_map<std::string_view, const Certificate*> exact_;
  std::unordered_map<std::string_view, const Certificate*> wildcards_;
  const Certificate* default_ = nullptr;
};

// Shared by the gateway, which holds the newest, by a reload that builds on it, and by connections
// that began under it.
using SharedCertificates = std::shared_ptr<const CertificateSet>;

// Reads the folder anew. A pair whose files did not change since `before` is taken over; one that
// cannot be used is logged, and the older one of its name stays in force. `before` may be null. The
// same object as `before` when nothing is different. Errors: of the folder itself (NotFound,
// Refused). Blocking.
base::Result<SharedCertificates> load_certificates(const std::string& folder,
                                                   const SharedCertificates& before,
                                                   base::WallTime now);

}  // namespace granary::gateway

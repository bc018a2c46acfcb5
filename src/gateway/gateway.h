// The gateway: takes all tenant traffic, routes it by the published snapshot, serves frontends,
// proxies to the silos and has the agent wake them. Unprivileged; it keeps serving without control,
// and running services without the agent. Lives on the io_context given to it, which one thread
// runs (concurrency hint 1 or BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO); not thread-safe.
//
//   asio::io_context context(1);
//   Gateway gateway(context, options, {clock, timer, rng, worker});
//   TRY(gateway.open());             // the board, the listeners
//   co_spawn(context, gateway.run(), ...);
//   ...
//   co_await gateway.close();        // from a task of the same context; then run() resolves
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/os/inherited.h"
#include "base/rng.h"
#include "base/timer.h"
#include "base/worker.h"
#include "gateway/limits.h"
#include "wire/paths.h"

namespace granary::gateway {

struct Endpoint {
  std::string address = "127.0.0.1";  // an IP address, not a name
  std::uint16_t port = 8080;          // 0: any
  bool operator==(const Endpoint&) const = default;
};

// What each listener is called where a service manager passes it on (FileDescriptorName=).
inline constexpr const char* kHttpListener = "http";
inline constexpr const char* kAdminListener = "admin";
inline constexpr const char* kHttpsListener = "https";

enum class Redirect { On, Off };

// TLS ended by the gateway itself.
struct TlsOptions {
  Endpoint listen;
  std::string certificates;  // folder, absolute: NAME.crt and NAME.key (certificates.h), and what
                             // an ACME client puts there (session_https.cc)
  Redirect redirect = Redirect::On;  // of plain requests to https; Off: they are served as well
};

struct GatewayOptions {
  wire::Paths paths;
  Endpoint listen;
  std::optional<Endpoint> admin;  // /healthz, /readyz, /metrics; not for the outside
  std::string scheme = "http";    // how plain clients reach it: "https" behind an end of TLS
  std::optional<TlsOptions> tls;
  GatewayLimits limits;
};

class Gateway final {
 public:
  // All outlive the gateway. `worker` has one thread at least that is not the context's.
  struct Parts {
    base::Clock& clock;
    base::Timer& timer;
    base::Rng& rng;
    base::Worker& worker;
  };
  Gateway(base::asio::io_context& context, GatewayOptions options, Parts parts);
  ~Gateway();  // asserts that close() has completed, if open() succeeded
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Opens the activity board (NotFound: the agent makes it; try again) and listens: on what was
  // inherited under the names above, which is taken out of `inherited`, and otherwise on the
  // endpoints of the options. Errors: also InvalidArgument, for a name that is none of these.
  // Blocking, short.
  base::Result<void> open(base::os::InheritedFds& inherited);
  // Serves until close().
  base::Task<void> run();
  // Takes no more connections, lets answers under way end for kDrain, cuts the rest, joins all.
  base::Task<void> close();

  // What open() got, with the real port.
  Endpoint listening() const;
  std::optional<Endpoint> admin_listening() const;
  std::optional<Endpoint> tls_listening() const;
  // Of the snapshot in force; 0: none yet.
  std::uint64_t generation() const;
  // Requests that the agent holds until a life of their service serves.
  std::size_t waiting() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace granary::gateway

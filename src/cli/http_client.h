// A blocking HTTP client for the API: one connection per request, over TCP or a unix socket, every
// wait with a deadline. Single-threaded: it runs its own loop inside send(). Not a general client.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <boost/beast/http/verb.hpp>
#include <functional>
#include <string>

#include "base/async.h"
#include "cli/address.h"
#include "cli/limits.h"

namespace granary::cli {

namespace http = boost::beast::http;

struct HttpRequest {
  http::verb method = http::verb::get;
  std::string target;  // path and query, encoded
  std::string body;    // JSON; empty: none
  std::string file;    // path of a file to send instead; empty: none
  std::string file_type = "application/zstd";
  std::string token;                              // empty: none
  std::string host;                               // of the Host field; empty: of the address
  std::chrono::milliseconds time = kRequestTime;  // for the answer
  // Takes the body of a success, piece by piece, instead of HttpReply::body. An error ends it.
  std::function<base::Result<void>(std::string_view piece)> sink;
  // Told of the bytes of a file, or of what a sink took, as they go through; may be empty.
  std::function<void(std::uint64_t bytes, std::uint64_t of)> progress;
};

struct HttpReply {
  unsigned status = 0;
  std::string type;
  std::string body;
};

class HttpClient final {
 public:
  explicit HttpClient(Address address);

  // Any answer is a success here. Errors: Unavailable (nobody there, cut off), Deadline,
  // Cancelled (Ctrl-C while it is held), NotFound (no such file).
  base::Result<HttpReply> send(const HttpRequest& request);
  // From now on Ctrl-C ends send() and pause() with Cancelled instead of the process.
  void hold_interrupts();
  // Errors: Cancelled.
  base::Result<void> pause(std::chrono::milliseconds time);
  const Address& address() const { return address_; }

 private:
  base::Task<void> exchange(const HttpRequest& request, base::Result<HttpReply>& outcome);
  base::Result<void> run_loop();

  Address address_;
  base::asio::io_context context_{1};
  base::asio::signal_set signals_{context_};
  enum class Interrupts { Kill, Held, Came } interrupts_ = Interrupts::Kill;
  std::function<void()> interrupt_;  // ends what waits in the loop; empty: nothing does
};

}  // namespace granary::cli

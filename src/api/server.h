// The API's HTTP server: accepts connections, bounds their number, owns their tasks. Lives on
// control's executor, like all that it calls. Not for tenants' traffic: that is the gateway's.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <set>

#include "api/context.h"
#include "base/event.h"
#include "base/task_group.h"

namespace granary::api {

class Session;

class Server final {
 public:
  // What `parts` refers to outlives the server.
  Server(base::asio::any_io_executor executor, Options options, Parts parts);
  ~Server();  // asserts that close() has completed
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Removes old uploads, then opens the port: from now on clients wait instead of being refused.
  // Errors: Conflict (the port is taken), Refused, InvalidArgument (the address), NotFound (the
  // folder for uploads).
  base::Result<void> listen();
  std::uint16_t port() const;  // after listen()
  // Serves until close(). Errors: Internal, when there was no listen().
  base::Task<base::Result<void>> run();
  // Closes the port, cuts all connections, waits for what runs. Idempotent.
  base::Task<void> close();

  // To be called for each change of an operation (Engine::on_change), on the executor.
  void on_operation(const operation::Operation& operation);

 private:
  base::Task<void> serve(base::asio::ip::tcp::socket socket);

  Options options_;
  Parts parts_;
  Metrics metrics_;
  Authenticator authenticator_;
  Feed feed_;
  Context context_;
  base::asio::ip::tcp::acceptor acceptor_;
  std::set<Session*> sessions_;  // each is a local of its serve()
  base::Event left_;             // a connection ended
  base::TaskGroup tasks_;
};

}  // namespace granary::api

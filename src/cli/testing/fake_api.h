// An API that answers what a test told it to, over a real socket, from a thread of its own: the
// client under test blocks. Remembers what it was asked. Start it, tell it, run commands, look.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace granary::cli::testing {

struct Asked {
  std::string method;
  std::string target;
  std::string body;
  std::string authorization;
  std::string type;
};

class FakeApi final {
 public:
  FakeApi();
  ~FakeApi();
  FakeApi(const FakeApi&) = delete;
  FakeApi& operator=(const FakeApi&) = delete;

  // "GET /v1/tenants" (without the query) is answered so; given more than once, one answer after
  // another, the last for ever. What was never told is answered 404 with a problem.
  void answer(const std::string& request, unsigned status, std::string body);
  // So many connections are served, then so many closed without an answer.
  void drop_after(int served, int dropped);
  // Instead of asking for a bundle (100 Continue), refuse it at its head.
  void refuse_bundles();
  // When so many requests have come, this process gets what Ctrl-C sends.
  void interrupt_at(std::size_t request);

  std::vector<Asked> asked() const;
  std::string url() const;

 private:
  void serve();
  void serve_one(boost::asio::ip::tcp::socket socket);
  std::pair<unsigned, std::string> next_answer(const std::string& request);

  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  mutable std::mutex mutex_;  // for the members below: the test's thread and the server's
  std::map<std::string, std::vector<std::pair<unsigned, std::string>>> answers_;
  std::vector<Asked> asked_;
  int serves_ = 0;  // before the next drop
  int drops_ = 0;
  bool closing_ = false;
  bool refuse_bundles_ = false;
  std::size_t interrupt_at_ = 0;
  std::thread thread_;
};

}  // namespace granary::cli::testing

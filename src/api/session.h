// One connection to the API: reads requests one after another, within their bounds and deadlines,
// gives each to its route, and answers. Owned by the server; lives on its executor. Knows HTTP and
// the table of routes, nothing of what they do.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "api/deadline.h"
#include "api/limits.h"
#include "api/route.h"
#include "api/upload.h"

namespace granary::api {

// For a file of which so much is through: so long at all, and more the more of it there is.
inline std::chrono::milliseconds time_for(std::chrono::milliseconds any, std::uint64_t bytes) {
  return any + std::chrono::milliseconds(bytes / (kSlowestTransfer / 1000));
}

using HeadParser = http::request_parser<http::empty_body>;

class Session final {
 public:
  // The context outlives the session.
  Session(Context& context, base::asio::ip::tcp::socket socket);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Until the client goes, an answer asks for closing, or abort().
  base::Task<void> run();
  // What waits for the client fails at once.
  void abort();

 private:
  using Outcome = std::expected<void, Rejection>;
  enum class After { KeepOpen, Close };
  // One request on its way through.
  struct Exchange {
    Request request;
    const Route* route = nullptr;
    std::unique_ptr<Upload> upload;
    enum class Input { Unread, Read } input = Input::Unread;  // what the client sends as a body
    After after = After::KeepOpen;
    unsigned version = 11;
  };

  base::Task<After> exchange();
  base::Task<After> refuse_head(base::ErrorCode error, const HeadParser& parser);
  base::Task<std::expected<Response, Rejection>> perform(HeadParser& parser, Exchange& exchange);
  base::Task<Outcome> admit(HeadParser& parser, Exchange& exchange);
  base::Task<Outcome> read_body(HeadParser& parser, Exchange& exchange);
  base::Task<Outcome> read_document(HeadParser& parser, Exchange& exchange);
  struct FileRules;
  FileRules rules_for(Body body) const;
  base::Task<Outcome> read_file(HeadParser& parser, Exchange& exchange);
  // `what` it is, in the plural.
  base::Task<Outcome> check_room(std::uint64_t coming, std::string_view what);
  base::Task<Outcome> store_file(HeadParser& parser, Exchange& exchange, FileRules rules);
  base::Task<Outcome> go_ahead(HeadParser& parser);
  base::Task<After> send(Response response, const Exchange& exchange);
  base::Task<After> send_events(const Exchange& exchange);
  base::Task<After> send_file(Response response, const Exchange& exchange);
  base::Task<base::Result<void>> send_pieces(const base::os::OpenFile& file);
  base::Task<base::Result<void>> send_text(std::string text);
  base::Task<void> linger();
  void account(const Exchange& exchange, http::status status);

  Context& context_;
  base::asio::ip::tcp::socket socket_;
  Deadline deadline_;  // for what is read or written now
  boost::beast::flat_buffer buffer_{kMaxBuffer};
};

}  // namespace granary::api

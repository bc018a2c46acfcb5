#include <boost/asio/write.hpp>
#include <boost/beast/http/write.hpp>

#include "api/session.h"
#include "base/log.h"
#include "base/os/file.h"

// Answering with a file: read on the worker and sent, a piece at a time, so that its size is no
// matter to the memory of control.
namespace granary::api {

using base::Code;
using base::ErrorCode;
using base::into;
using base::Result;
using base::Task;

Task<Session::After> Session::send_file(Response response, const Exchange& exchange) {
  account(exchange, response.status);
  const Counted counted(context_.metrics.downloads);
  const base::os::OpenFile& file = *response.file;
  http::response<http::empty_body> head(response.status, exchange.version);
  for (const auto& [name, value] : response.headers) head.set(name, value);
  head.set(http::field::content_type, response.type);
  head.set(http::field::cache_control, "no-store");
  head.set("X-Content-Type-Options", "nosniff");
  head.set("X-Request-Id", exchange.request.request_id);
  head.content_length(file.status.size);
  head.keep_alive(exchange.after == After::KeepOpen);
  http::response_serializer<http::empty_body> serializer(head);
  ErrorCode error;
  deadline_.start(context_.options.patience.answer);
  co_await http::async_write_header(socket_, serializer, into(error));
  if (!error) {
    const auto sent = co_await send_pieces(file);
    if (sent) co_return exchange.after;
    base::log::warn("request {}: the file was not sent to its end: {}", exchange.request.request_id,
                    base::describe(sent.error()));
  }
  // Too short for its Content-Length: that is how the client sees that it has not got all. Reset,
  // so that the kernel does not keep for it what it does not take.
  socket_.set_option(base::asio::socket_base::linger(true, 0), error);
  abort();
  co_return After::Close;
}

// The file outlives the call.
Task<Result<void>> Session::send_pieces(const base::os::OpenFile& file) {
  const base::BootTime begun = context_.parts.clock.boot();
  const Patience& patience = context_.options.patience;
  std::uint64_t sent = 0;
  while (sent < file.status.size) {
    if (context_.parts.clock.boot() - begun > time_for(patience.download, sent))
      co_return base::fail(Code::Deadline, "the client took only {} bytes in this time", sent);
    const std::size_t count = std::min<std::uint64_t>(kUploadChunk, file.status.size - sent);
    CO_TRY_ASSIGN(const std::string piece,
                  co_await base::run_on(context_.parts.worker, [&file, sent, count] {
                    return base::os::read_at(file.fd.get(), sent, count);
                  }));
    if (piece.empty()) co_return base::fail(Code::DataLoss, "the file ends at byte {}", sent);
    ErrorCode error;
    deadline_.start(patience.download_piece);
    co_await base::asio::async_write(socket_, base::asio::buffer(piece), into(error));
    if (deadline_.expired())
      co_return base::fail(Code::Deadline, "the client takes nothing; it has {} bytes", sent);
    if (error) co_return std::unexpected(base::from_asio(error, "send a file"));
    sent += piece.size();
  }
  co_return Result<void>();
}

}  // namespace granary::api

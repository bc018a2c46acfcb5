#include "app/wiring/network_domains.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "app/limits.h"
#include "base/clock.h"
#include "base/log.h"
#include "egress/resolver.h"

namespace granary::app {

using base::Code;
using base::ErrorCode;
using base::Result;
using base::Task;
using base::asio::ip::tcp;

namespace {

// A resolver state of its own: resolv(3)'s shared one belongs to one thread.
struct CloseResolver {
  void operator()(struct __res_state* state) const {
    ::res_nclose(state);
    delete state;
  }
};

Result<std::vector<std::string>> look_up_txt(const std::string& name) {
  const std::unique_ptr<struct __res_state, CloseResolver> state(new struct __res_state());
  if (::res_ninit(state.get()) != 0)
    return base::fail(Code::Unavailable, "the name servers of this machine are not known");
  state->retrans = 3;
  state->retry = 2;
  std::vector<unsigned char> answer(kMaxDnsAnswer);
  const int length = ::res_nquery(state.get(), name.c_str(), ns_c_in, ns_t_txt, answer.data(),
                                  static_cast<int>(answer.size()));
  if (length >= 0) {
    const auto* bytes = reinterpret_cast<const char*>(answer.data());
    return parse_txt_answer(
        {bytes, std::min<std::size_t>(static_cast<std::size_t>(length), answer.size())});
  }
  const int why = state->res_h_errno;
  if (why == HOST_NOT_FOUND || why == NO_DATA) return std::vector<std::string>();
  return base::fail(Code::Unavailable, "no name server answers");
}

// Of the host's addresses the first that may be asked: nothing of this machine or its networks.
Result<egress::Address> public_address(const std::string& host) {
  TRY_ASSIGN(const egress::Addresses found, egress::look_up(host));
  for (const egress::Address& address : found) {
    if (egress::kind_of(address) == egress::AddressKind::Global) return address;
  }
  return base::fail(Code::Unavailable, "{} has no public address", host);
}

Task<Result<std::string>> fetch(egress::Address address, std::string request) {
  tcp::socket socket(co_await base::asio::this_coro::executor);
  ErrorCode error;
  co_await socket.async_connect(tcp::endpoint(address, 80), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "connecting"));
  co_await base::asio::async_write(socket, base::asio::buffer(request), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "asking"));
  std::string answer;
  co_await base::asio::async_read(socket, base::asio::dynamic_buffer(answer, kMaxDomainAnswer),
                                  base::into(error));
  if (error && error != base::asio::error::eof)
    co_return std::unexpected(base::from_asio(error, "reading the answer"));
  co_return parse_small_answer(answer);
}

Task<Result<std::string>> deadline() {
  base::asio::steady_timer timer(co_await base::asio::this_coro::executor);
  timer.expires_after(kDomainDeadline);
  ErrorCode error;
  co_await timer.async_wait(base::into(error));
  co_return base::fail(Code::Unavailable, "there was no answer in {}",
                       base::format_duration(kDomainDeadline));
}

}  // namespace

Result<std::vector<std::string>> parse_txt_answer(std::string_view message) {
  ns_msg parsed;
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (::ns_initparse(bytes, static_cast<int>(message.size()), &parsed) != 0)
    return base::fail(Code::Unavailable, "a name server's answer cannot be read");
  std::vector<std::string> texts;
  for (int i = 0; i < ns_msg_count(parsed, ns_s_an); ++i) {
    ns_rr record;
    if (::ns_parserr(&parsed, ns_s_an, i, &record) != 0)
      return base::fail(Code::Unavailable, "a name server's answer cannot be read");
    if (ns_rr_type(record) != ns_t_txt) continue;
    // Pieces of up to 255 bytes, each after its length.
    const std::string_view data(reinterpret_cast<const char*>(ns_rr_rdata(record)),
                                ns_rr_rdlen(record));
    std::string text;
    for (std::size_t at = 0; at < data.size();) {
      const std::size_t length = static_cast<unsigned char>(data[at]);
      text += data.substr(at + 1, length);
      at += 1 + length;
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<std::string> parse_small_answer(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (!bytes.starts_with("HTTP/1.") || end == std::string_view::npos)
    return base::fail(Code::Unavailable, "the answer is not HTTP");
  const std::string_view status = bytes.substr(0, bytes.find("\r\n"));
  const bool well = status.size() >= 12 && status.substr(8, 4) == " 200" &&
                    (status.size() == 12 || status[12] == ' ');
  if (!well)
    return base::fail(Code::Unavailable, "the answer is '{}' instead of 200",
                      base::log::escape(status.substr(0, 60)));
  return std::string(bytes.substr(end + 4));
}

Task<Result<std::vector<std::string>>> NetworkDomains::txt(std::string name) {
  co_return co_await base::run_on(worker_, [&name] { return look_up_txt(name); });
}

Task<Result<std::string>> NetworkDomains::get(std::string domain, std::string path) {
  using base::asio::experimental::awaitable_operators::operator||;
  CO_TRY_ASSIGN(const egress::Address address,
                co_await base::run_on(worker_, [&domain] { return public_address(domain); }));
  // HTTP/1.0: the answer ends with the connection, in one piece.
  const std::string request = fmt::format(
      "GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: granary-domain-check\r\n\r\n", path, domain);
  const auto first = co_await (fetch(address, request) || deadline());
  auto answer = std::visit([](const auto& value) { return Result<std::string>(value); }, first);
  if (answer) co_return answer;
  co_return base::annotate(answer.error(), fmt::format("http://{}{}", domain, path));
}

}  // namespace granary::app

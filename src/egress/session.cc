#include "egress/session.h"

#include <algorithm>
#include <boost/asio/write.hpp>

#include "egress/deadline.h"
#include "egress/limits.h"

namespace granary::egress {

namespace asio = base::asio;
using base::ErrorCode;
using base::Result;
using base::Task;

namespace {

std::string_view phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

std::string compose(int status, std::string_view text) {
  const std::string_view allow = status == 405 ? "Allow: CONNECT\r\n" : "";
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n{}"
      "Connection: close\r\n\r\n{}",
      status, phrase(status), text.size(), allow, text);
}

// Resolves to false when it could not be sent.
template <class Socket>
Task<bool> send(Socket& socket, std::string_view bytes) {
  ErrorCode error;
  co_await asio::async_write(socket, asio::buffer(bytes.data(), bytes.size()), base::into(error));
  co_return !error;
}

std::string undeclared(const std::string& target) {
  return fmt::format(
      "{0} is not in the egress list of this app's manifest. To reach it, add it to granary.yaml "
      "and release the app again:\n\n    egress: [{0}]\n",
      target);
}

std::string no_address(const std::string& host) {
  return fmt::format(
      "{} stands for no address that an app may connect to: private, loopback, link-local and "
      "other "
      "special addresses are refused, whatever their name. The operator of this platform can "
      "permit a private network with --egress-allow.\n",
      host);
}

}  // namespace

Task<void> answer(Core& core, ClientSocket& client, int status, std::string text) {
  const std::string whole = compose(status, text);
  (void)co_await within(core.timer, kAnswerDeadline, send(client, whole));
}

Session::Session(Core& core, std::shared_ptr<Account> account, ClientSocket client)
    : core_(core),
      account_(std::move(account)),
      client_(std::move(client)),
      began_(core.clock.boot()),
      moved_at_(began_) {
  ++account_->connections;
}

Session::~Session() {
  --account_->connections;
  const Outcome outcome = core_.stopping ? Outcome::Stopped : outcome_;
  ++core_.counters.ended[static_cast<std::size_t>(outcome)];
  core_.log.add(account_->id, account_->ordinal,
                {.target = asked_,
                 .address = address_,
                 .bytes_up = up_,
                 .bytes_down = down_,
                 .took = core_.clock.boot() - began_,
                 .outcome = outcome});
}

Task<void> Session::run() {
  const Verdict verdict = co_await open();
  core_.usage.changed();
  if (verdict.status != 0) {
    ++account_->usage->refused;
    outcome_ = verdict.outcome;
    co_return co_await answer(core_, client_, verdict.status, verdict.text);
  }
  ++account_->usage->connections;
  co_await relay();
}

Task<Session::Verdict> Session::open() {
  if (account_->connections > kConnectionsEach)
    co_return Verdict{
        503, Outcome::TooMany,
        fmt::format("This app has {} connections to the outside open, and may have no "
                    "more at once.\n",
                    kConnectionsEach)};
  auto head = co_await within(core_.timer, kHeadDeadline, read_head());
  if (!head) co_return Verdict{408, Outcome::BadRequest, "The request took too long to arrive.\n"};
  if (head->status != 0) co_return *std::move(head);
  Verdict target = co_await judge_target();
  if (target.status != 0) co_return target;
  const auto found = co_await within(core_.timer, kLookupDeadline, look_up(target_.host));
  if (!found)
    co_return Verdict{504, Outcome::Unresolved,
                      fmt::format("Nobody said in time what {} is.\n", target_.host)};
  if (!*found) co_return Verdict{502, Outcome::Unresolved, base::describe(found->error()) + "\n"};
  Verdict addresses = judge_addresses(**found);
  if (addresses.status != 0) co_return addresses;
  auto connected = co_await within(core_.timer, kConnectAll, connect_first());
  if (connected) co_return *std::move(connected);
  co_return Verdict{504, Outcome::Unreachable, fmt::format("{} does not answer.\n", asked_)};
}

Task<Session::Verdict> Session::read_head() {
  for (;;) {
    const ConnectHead head = parse_connect(received_);
    switch (head.state) {
      case ConnectHead::State::Connect:
        asked_ = head.target;
        head_bytes_ = head.bytes;
        co_return Verdict();
      case ConnectHead::State::Refused:
        co_return Verdict{head.status, Outcome::BadRequest, fmt::format("{}\n", head.reason)};
      case ConnectHead::State::More:
        break;
    }
    const std::size_t before = received_.size();
    received_.resize(kHeadBytes);
    ErrorCode error;
    const std::size_t got = co_await client_.async_read_some(
        asio::buffer(received_.data() + before, kHeadBytes - before), base::into(error));
    received_.resize(before + got);
    if (error) co_return Verdict{400, Outcome::BadRequest, "The request is not whole.\n"};
  }
}

Task<Session::Verdict> Session::judge_target() {
  const auto parsed = wire::parse_egress_target(asked_);
  if (!parsed)
    co_return Verdict{403, Outcome::NotDeclared,
                      fmt::format("What is asked for {}. Only hosts that the app's manifest names "
                                  "under `egress` can be reached, by their names.\n",
                                  parsed.error().message)};
  target_ = *parsed;
  if (!account_->allows(target_)) co_await core_.policy.refresh();
  if (!account_->allows(target_))
    co_return Verdict{403, Outcome::NotDeclared, undeclared(wire::to_string(target_))};
  co_return Verdict();
}

Task<Result<Addresses>> Session::look_up(std::string host) {
  while (account_->lookups >= kLookupsEach) CO_TRY(co_await account_->looked_up.wait());
  struct Turn {
    explicit Turn(Account& whose) : account(whose) { ++account.lookups; }
    ~Turn() {
      --account.lookups;
      account.looked_up.notify_all();
    }
    Account& account;
  };
  const Turn turn(*account_);
  ++core_.counters.lookups;
  auto found = co_await core_.resolver.resolve(std::move(host));
  if (!found) ++core_.counters.lookups_failed;
  co_return found;
}

// What is connected to later are these very addresses: the name is not asked for again, so that
// it cannot mean something else by then.
Session::Verdict Session::judge_addresses(const Addresses& found) {
  for (const Address& address : found) {
    const Address plain = unmapped(address);
    address_ = plain.to_string();
    const AddressKind kind = kind_of(plain);
    const bool permitted = std::ranges::any_of(
        core_.allowed, [&](const Network& network) { return network.contains(plain); });
    const bool outside = kind == AddressKind::Global && !core_.own_address(plain);
    if (is_no_host(kind) || (!outside && !permitted)) continue;
    addresses_.push_back(plain);
    if (addresses_.size() == kAddresses) break;
  }
  if (!addresses_.empty()) return {};
  return {403, Outcome::AddressRefused, no_address(target_.host)};
}

Task<Session::Verdict> Session::connect_first() {
  for (const Address& address : addresses_) {
    address_ = address.to_string();
    const auto connected = co_await within(core_.timer, kConnectEach, connect(address));
    if (connected && *connected) co_return Verdict();
  }
  co_return Verdict{502, Outcome::Unreachable,
                    fmt::format("{} takes no connection.\n", wire::to_string(target_))};
}

Task<bool> Session::connect(Address address) {
  ErrorCode error;
  remote_.emplace(core_.executor);
  co_await remote_->async_connect({address, target_.port}, base::into(error));
  if (error) co_return false;
  remote_->set_option(asio::ip::tcp::no_delay(true), error);
  remote_->set_option(asio::socket_base::keep_alive(true), error);
  co_return true;
}

Task<void> Session::relay() {
  using asio::experimental::awaitable_operators::operator&&;
  using asio::experimental::awaitable_operators::operator||;
  moved_at_ = core_.clock.boot();
  const std::string early = received_.substr(head_bytes_);
  if (!co_await send(client_, "HTTP/1.1 200 Connection established\r\n\r\n")) co_return;
  if (!early.empty()) {
    if (!co_await send(*remote_, early)) co_return;
    count(early.size(), {up_, account_->usage->bytes_up, core_.counters.bytes_up});
  }
  outcome_ = Outcome::Closed;
  const Meters up{up_, account_->usage->bytes_up, core_.counters.bytes_up};
  const Meters down{down_, account_->usage->bytes_down, core_.counters.bytes_down};
  co_await ((copy(client_, *remote_, up) && copy(*remote_, client_, down)) || watch());
}

// Until the end of `from`, which is passed on while the other direction goes on. What `to` has not
// taken is waited for before more is read.
template <class From, class To>
Task<void> Session::copy(From& from, To& to, Meters meters) {
  std::string block(kCopyBytes, '\0');
  for (;;) {
    ErrorCode error;
    const std::size_t got = co_await from.async_read_some(asio::buffer(block), base::into(error));
    if (error == asio::error::eof) {
      to.shutdown(asio::socket_base::shutdown_send, error);
      co_return;
    }
    if (error) co_return cut();
    count(got, meters);
    // A side that takes no more may still have something to say.
    if (!co_await send(to, std::string_view(block).substr(0, got))) co_return;
    moved_at_ = core_.clock.boot();
  }
}

void Session::count(std::size_t bytes, const Meters& meters) {
  meters.session += bytes;
  meters.account += bytes;
  meters.all += bytes;
  moved_at_ = core_.clock.boot();
  core_.usage.changed();
}

// Wakes whoever reads here. Also run by what was cancelled, for a reason that is known by then.
void Session::cut() {
  if (outcome_ == Outcome::Closed) outcome_ = Outcome::Broken;
  ErrorCode ignored;
  client_.close(ignored);
  remote_->close(ignored);
}

// Ends, and by that the session, when nothing moves any more or the account may not be there.
Task<void> Session::watch() {
  using asio::experimental::awaitable_operators::operator||;
  for (;;) {
    const base::BootTime quiet = core_.clock.boot() - moved_at_;
    if (quiet >= kIdle) {
      outcome_ = Outcome::Idle;
      co_return;
    }
    co_await (core_.timer.sleep(kIdle - quiet) || account_->changed.wait());
    if (!account_->allows(target_)) {
      outcome_ = Outcome::Cut;
      co_return;
    }
  }
}

}  // namespace granary::egress

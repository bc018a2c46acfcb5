#include "agent/agent.h"

#include "agent/access_reader.h"
#include "agent/limits.h"
#include "agent/log_reader.h"
#include "base/log.h"
#include "base/os/file.h"
#include "wire/bundle.h"
#include "wire/members.h"

namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using base::json::object;

namespace {

Result<AccountId> account_of(const object& arguments) {
  TRY_ASSIGN(const std::string name, base::json::get_string(arguments, "account"));
  TRY_ASSIGN(std::string slug, base::parse_slug(name, "account's name"));
  return AccountId(std::move(slug));
}

// It becomes a part of paths.
Result<std::string> release_of(const object& arguments) {
  TRY_ASSIGN(std::string hash, base::json::get_string(arguments, "release"));
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hash.size() != 64 || !std::ranges::all_of(hash, digit))
    return base::fail(Code::InvalidArgument, "member 'release' must be 64 hex digits");
  return hash;
}

// It becomes a part of paths.
Result<std::string> transfer_of(const object& arguments) {
  TRY_ASSIGN(std::string name, base::json::get_string(arguments, "transfer"));
  if (!base::is_ulid(name))
    return base::fail(Code::InvalidArgument, "member 'transfer' must be a ULID");
  return name;
}

// Only for looking it up among those that exist.
Result<base::ServiceId> service_of(const object& arguments) {
  TRY_ASSIGN(AccountId account, account_of(arguments));
  TRY_ASSIGN(std::string service, base::json::get_string(arguments, "service"));
  return base::ServiceId{std::move(account), std::move(service)};
}

}  // namespace

Agent::Agent(AgentOptions options, AccountsParts parts)
    : options_(std::move(options)),
      parts_(parts),
      accounts_(options_.accounts, parts),
      releases_(parts.executor),
      server_(std::make_unique<Server>(ServerOptions{.path = options_.accounts.paths.agent_socket(),
                                                     .control_uid = options_.control_uid,
                                                     .gateway_uid = options_.gateway_uid,
                                                     .on_connection =
                                                         [this](wire::Peer peer, int pid) {
                                                           if (peer == wire::Peer::Gateway)
                                                             accounts_.put_first(pid);
                                                         }},
                                       parts.executor, *this)) {}

Agent::~Agent() = default;

Task<Result<void>> Agent::start() {
  CO_TRY(co_await accounts_.recover());
  co_return server_->start();
}

void Agent::keep_socket() {
  const auto kept = server_->keep();
  if (!kept) base::log::error("the agent's socket: {}", describe(kept.error()));
}

Task<void> Agent::close(Accounts::Silos silos) {
  accounts_.stop_transfers();  // the server waits for its requests, and they for these
  co_await server_->close();
  co_await accounts_.close(silos);
}

Task<wire::AgentResult<object>> Agent::handle(wire::Peer peer, wire::Request request) {
  const auto refuse = [](base::Error error) {
    return std::unexpected(wire::AgentError{std::move(error), 0});
  };
  if (!may_use(peer, request.verb))
    co_return refuse({Code::Refused,
                      fmt::format("this user may not ask for {}", to_string(request.verb)),
                      {},
                      {}});
  if (request.verb == wire::Verb::Activate)
    co_return co_await activate(std::move(request.arguments));
  auto answer = co_await dispatch(request.verb, std::move(request.arguments));
  if (!answer) co_return refuse(std::move(answer).error());
  co_return std::move(*answer);
}

Task<wire::AgentResult<object>> Agent::activate(object arguments) {
  auto service = service_of(arguments);
  if (!service) co_return std::unexpected(wire::AgentError{std::move(service).error(), 0});
  const auto epoch = co_await accounts_.activate(std::move(*service));
  if (!epoch) co_return std::unexpected(epoch.error());
  object result;
  result["epoch"] = *epoch;
  co_return result;
}

Task<Agent::Answer> Agent::dispatch(wire::Verb verb, object arguments) {
  switch (verb) {
    case wire::Verb::Activate:
      break;  // handle() has taken it
    case wire::Verb::Apply:
      co_return co_await apply(std::move(arguments));
    case wire::Verb::Remove: {
      CO_TRY_ASSIGN(AccountId account, account_of(arguments));
      CO_TRY(co_await accounts_.remove(std::move(account)));
      co_return object();
    }
    case wire::Verb::Report: {
      CO_TRY_ASSIGN(AccountId account, account_of(arguments));
      CO_TRY_ASSIGN(const auto report, co_await accounts_.report(std::move(account)));
      co_return to_json(report);
    }
    case wire::Verb::List:
      co_return co_await list(std::move(arguments));
    case wire::Verb::Unpack:
      co_return co_await unpack(std::move(arguments));
    case wire::Verb::Forget:
      co_return co_await forget(std::move(arguments));
    case wire::Verb::Logs:
      co_return co_await logs(std::move(arguments));
    case wire::Verb::Export:
      co_return co_await export_data(std::move(arguments));
    case wire::Verb::Import:
      co_return co_await import_data(std::move(arguments));
    case wire::Verb::Sleep: {
      CO_TRY_ASSIGN(AccountId account, account_of(arguments));
      CO_TRY(co_await accounts_.sleep(std::move(account)));
      co_return object();
    }
    case wire::Verb::Fault:
      co_return co_await note_fault(std::move(arguments));
    case wire::Verb::Ping: {
      object result;
      result["isolation"] = parts_.launcher.isolation();
      co_return result;
    }
  }
  co_return base::fail(Code::Internal, "a verb that nobody answers");
}

Task<Agent::Answer> Agent::apply(object arguments) {
  const object* document = base::json::find_object(arguments, "spec");
  if (document == nullptr)
    co_return base::fail(Code::InvalidArgument, "member 'spec' must be an object");
  CO_TRY_ASSIGN(wire::AccountSpec spec, wire::account_spec_from(*document));
  object result;
  result["version"] = spec.version;
  CO_TRY(co_await accounts_.apply(std::move(spec)));
  co_return result;
}

Task<Agent::Answer> Agent::list(object arguments) {
  CO_TRY_ASSIGN(std::string after, base::json::get_string_or(arguments, "after", ""));
  CO_TRY_ASSIGN(const std::int64_t limit, base::json::get_int_or(arguments, "limit", kMaxListPage));
  CO_TRY_ASSIGN(const Accounts::Page page,
                co_await accounts_.list(
                    std::move(after),
                    static_cast<std::uint32_t>(std::clamp<std::int64_t>(limit, 1, kMaxListPage))));
  base::json::array reports;
  for (const wire::AccountReport& report : page.accounts) reports.emplace_back(to_json(report));
  object result;
  result["accounts"] = std::move(reports);
  result["next"] = page.next;
  co_return result;
}

void Agent::prepare(const std::string& folder) const {
  if (!options_.prepare_release) return;
  const auto prepared = options_.prepare_release(folder);
  if (!prepared) base::log::warn("a release stays as it came: {}", describe(prepared.error()));
}

Task<Agent::Answer> Agent::unpack(object arguments) {
  CO_TRY_ASSIGN(const std::string hash, release_of(arguments));
  CO_TRY_ASSIGN(const KeyedLock::Held held, co_await releases_.lock(hash));
  CO_TRY(co_await base::run_on(parts_.worker, [this, &hash]() -> Result<void> {
    const wire::Paths& paths = options_.accounts.paths;
    return wire::unpack(
        paths.bundle(hash), paths.release(hash), hash,
        {.limits = {}, .prepare = [this](const std::string& folder) { prepare(folder); }});
  }));
  co_return object();
}

Task<Agent::Answer> Agent::forget(object arguments) {
  CO_TRY_ASSIGN(const std::string hash, release_of(arguments));
  CO_TRY_ASSIGN(const KeyedLock::Held held, co_await releases_.lock(hash));
  CO_TRY(co_await accounts_.forget_release(hash));
  co_return object();
}

Task<Agent::Answer> Agent::logs(object arguments) {
  CO_TRY_ASSIGN(const base::ServiceId service, service_of(arguments));
  CO_TRY_ASSIGN(const std::int64_t given, base::json::get_int_or(arguments, "cursor", 0));
  const auto cursor = static_cast<std::uint64_t>(std::max<std::int64_t>(given, 0));
  const std::optional<std::uint32_t> ordinal = accounts_.ordinal_of(service.account);
  const bool access = service.service.empty();
  if (!ordinal || (!access && !accounts_.has_service(service)))
    co_return base::fail(Code::NotFound, "no service {} on this machine", to_string(service));
  CO_TRY_ASSIGN(const LogLines found, co_await base::run_on(parts_.worker, [&] {
                  const wire::Paths& paths = options_.accounts.paths;
                  return access ? read_access_log(paths, service.account, *ordinal, cursor)
                                : read_log(paths, service, cursor);
                }));
  object result;
  result["lines"] = base::json::from_strings(found.lines);
  result["cursor"] = found.cursor;
  co_return result;
}

// The gateway is not trusted to send text that fits into a log.
Task<Agent::Answer> Agent::note_fault(object arguments) {
  CO_TRY_ASSIGN(base::ServiceId service, service_of(arguments));
  CO_TRY_ASSIGN(std::string reason, base::json::get_string(arguments, "reason"));
  if (reason.size() > wire::kMaxFault)
    co_return base::fail(Code::InvalidArgument, "member 'reason' has more than {} bytes",
                         wire::kMaxFault);
  CO_TRY_ASSIGN(const std::int64_t epoch, base::json::get_int_or(arguments, "epoch", 0));
  CO_TRY(co_await accounts_.note_fault(std::move(service), static_cast<std::uint32_t>(epoch),
                                       base::log::escape(reason)));
  co_return object();
}

Task<Agent::Answer> Agent::export_data(object arguments) {
  CO_TRY_ASSIGN(AccountId account, account_of(arguments));
  CO_TRY_ASSIGN(std::string transfer, transfer_of(arguments));
  CO_TRY_ASSIGN(const wire::DataExport written,
                co_await accounts_.export_data(std::move(account), std::move(transfer)));
  co_return to_json(written);
}

Task<Agent::Answer> Agent::import_data(object arguments) {
  CO_TRY_ASSIGN(AccountId account, account_of(arguments));
  CO_TRY_ASSIGN(std::string transfer, transfer_of(arguments));
  CO_TRY_ASSIGN(std::string sha256, base::json::get_string(arguments, "sha256"));
  CO_TRY(
      co_await accounts_.import_data(std::move(account), std::move(transfer), std::move(sha256)));
  co_return object();
}

}  // namespace granary::agent

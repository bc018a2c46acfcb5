#include "gateway/gateway.h"

#include <list>

#include "base/contained.h"
#include "base/log.h"
#include "base/task_group.h"
#include "gateway/admin.h"
#include "gateway/certificate_watcher.h"
#include "gateway/core.h"
#include "gateway/listener.h"
#include "gateway/session.h"
#include "gateway/snapshot_watcher.h"

namespace granary::gateway {
namespace {

std::string to_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

// The one that was inherited under this name, or one of its own.
base::Result<void> open_listener(Listener& listener, const char* name, const Endpoint& endpoint,
                                 base::os::InheritedFds& inherited) {
  auto passed = inherited.extract(name);
  return passed ? listener.adopt(std::move(passed.mapped())) : listener.open(endpoint);
}

}  // namespace

struct Gateway::State {
  State(asio::io_context& context, GatewayOptions given, Parts given_parts)
      : options(std::move(given)),
        parts(given_parts),
        executor(context.get_executor()),
        sweeper(parts.clock),
        shares(options.limits.tenant_connections),
        tasks(executor),
        stopped(executor) {}

  base::Result<void> open(base::os::InheritedFds& inherited);
  base::Result<void> listen(base::os::InheritedFds& inherited);
  base::Result<void> open_tls();
  void start();
  void take(TcpSocket socket, const Tcp::endpoint& peer, Door door);
  void take_admin(TcpSocket socket);
  void ended(std::list<Session>::iterator session, const std::exception_ptr& failure);
  void adopt(SharedIndex index);
  base::Task<void> accept_on(Listener* from);
  base::Task<void> tick();
  base::Task<void> drain();

  const GatewayOptions options;
  Parts parts;
  Executor executor;
  Sweeper sweeper;
  Shares shares;
  std::unique_ptr<wire::ActivityBoard> board;
  std::optional<AgentClient> agent;
  std::optional<Faults> faults;
  std::optional<Upstreams> upstreams;
  std::optional<FrontendStore> frontends;
  std::optional<AccessLog> log;
  std::optional<Core> core;
  std::unique_ptr<Tls> tls;  // null: not configured
  std::optional<CertificateWatcher> certificates;
  std::optional<SnapshotWatcher> watcher;
  std::optional<Listener> listener;
  std::optional<Listener> tls_listener;
  std::optional<Listener> admin;
  // Each runs a coroutine, which is joined by close(): ended() takes it out.
  std::list<Session> sessions;
  std::size_t admins = 0;
  base::TaskGroup tasks;
  base::Event stopped;
  bool closed = false;
};

base::Result<void> Gateway::State::open(base::os::InheritedFds& inherited) {
  TRY_ASSIGN(board, wire::ActivityBoard::open(options.paths.board(),
                                              wire::ActivityBoard::Access::ReadWrite));
  agent.emplace(options.paths.agent_socket(), executor, sweeper, parts.timer);
  faults.emplace(*agent, sweeper);
  upstreams.emplace(Upstreams::Parts{options.paths, *board, *agent, options.limits, sweeper,
                                     parts.timer, executor});
  frontends.emplace(options.paths, parts.worker);
  log.emplace(AccessLog::Parts{options.paths, parts.clock, parts.timer, parts.worker});
  core.emplace(Core{.executor = executor,
                    .clock = parts.clock,
                    .rng = parts.rng,
                    .board = *board,
                    .limits = options.limits,
                    .timer = parts.timer,
                    .worker = parts.worker,
                    .scheme = options.scheme,
                    .sweeper = sweeper,
                    .agent = *agent,
                    .faults = *faults,
                    .upstreams = *upstreams,
                    .frontends = *frontends,
                    .log = *log,
                    .shares = shares});
  watcher.emplace(SnapshotWatcher::Parts{options.paths, parts.timer, parts.worker, executor},
                  [this](SharedIndex index) { adopt(std::move(index)); });
  TRY(open_tls());
  return listen(inherited);
}

// A folder without one good pair is no error: certificates may be got through the gateway itself.
base::Result<void> Gateway::State::open_tls() {
  if (!options.tls) return {};
  const std::string& folder = options.tls->certificates;
  auto loaded = load_certificates(folder, nullptr, parts.clock.wall());
  if (!loaded)
    return base::fail_with_advice(
        base::Code::InvalidArgument,
        fmt::format("the certificates cannot be read: {}", loaded.error().message),
        fmt::format("Make the folder {}, readable to the user that the gateway runs as", folder));
  base::log::info("{} certificates are in force", (*loaded)->size());
  TRY_ASSIGN(tls, Tls::make(parts.clock, *loaded));
  core->https = {.tls = tls.get(), .redirect = options.tls->redirect, .folder = folder};
  certificates.emplace(CertificateWatcher::Parts{parts.clock, parts.timer, parts.worker, executor},
                       folder, *loaded,
                       [this](SharedCertificates newest) { tls->adopt(std::move(newest)); });
  return {};
}

base::Result<void> Gateway::State::listen(base::os::InheritedFds& inherited) {
  listener.emplace(executor, parts.timer, [this](TcpSocket socket, const Tcp::endpoint& peer) {
    take(std::move(socket), peer, Door::Plain);
  });
  TRY(open_listener(*listener, kHttpListener, options.listen, inherited));
  if (options.tls) {
    tls_listener.emplace(executor, parts.timer,
                         [this](TcpSocket socket, const Tcp::endpoint& peer) {
                           take(std::move(socket), peer, Door::Tls);
                         });
    TRY(open_listener(*tls_listener, kHttpsListener, options.tls->listen, inherited));
    core->https.port = tls_listener->endpoint().port;
  }
  if (options.admin) {
    admin.emplace(executor, parts.timer, [this](TcpSocket socket, const Tcp::endpoint& /*peer*/) {
      take_admin(std::move(socket));
    });
    TRY(open_listener(*admin, kAdminListener, *options.admin, inherited));
  }
  if (inherited.empty()) return {};
  return base::fail_with_advice(
      base::Code::InvalidArgument,
      fmt::format("a socket named '{}' was passed to the gateway, which has no use for it",
                  base::log::escape(inherited.begin()->first)),
      fmt::format("Name it {}, {} or {}, and configure what it is for", kHttpListener,
                  kHttpsListener, kAdminListener));
}

void Gateway::State::start() {
  tasks.spawn("sweep", tick());
  tasks.spawn("agent connection", agent->run());
  tasks.spawn("snapshot watch", watcher->watch());
  tasks.spawn("snapshot", watcher->follow());
  tasks.spawn("access log", log->run());
  tasks.spawn("listener", accept_on(&*listener));
  if (tls_listener) tasks.spawn("TLS listener", accept_on(&*tls_listener));
  if (certificates) {
    tasks.spawn("certificate watch", certificates->watch());
    tasks.spawn("certificate recheck", certificates->recheck());
    tasks.spawn("certificates", certificates->follow());
  }
  if (admin) tasks.spawn("admin listener", admin->run());
}

// What is published is looked at first: who has waited through the restart of a gateway is not to
// hear that there is no routing yet.
base::Task<void> Gateway::State::accept_on(Listener* from) {
  if (co_await watcher->first_look()) co_await from->run();
}

void Gateway::State::adopt(SharedIndex index) {
  upstreams->adopt(index->snapshot());
  board->set_routing(index->snapshot().generation);
  log->forget(index->snapshot().gone);
  core->index = std::move(index);
}

void Gateway::State::take(TcpSocket socket, const Tcp::endpoint& peer, Door door) {
  // At the bound, the one that has waited longest for a request, or for the rest of one's head,
  // makes room. The newcomer is over the bound until that one has ended.
  const std::size_t bound = options.limits.connections;
  if (sessions.size() >= bound + kOverBound || (sessions.size() >= bound && !shares.make_room())) {
    ++core->counters.connections_refused;
    return;  // closed with the socket
  }
  ++core->counters.connections;
  ErrorCode ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  sessions.emplace_back(*core, std::move(socket), to_text(peer.address()), door);
  const auto session = std::prev(sessions.end());
  asio::co_spawn(executor, session->run(),
                 [this, session](const std::exception_ptr& failure) { ended(session, failure); });
}

void Gateway::State::ended(std::list<Session>::iterator session,
                           const std::exception_ptr& failure) {
  if (failure) base::log::error("a session ended by an exception");
  sessions.erase(session);
  if (sessions.empty()) stopped.notify_all();
}

void Gateway::State::take_admin(TcpSocket socket) {
  if (admins >= kAdminConnections) return;
  ++admins;
  asio::co_spawn(executor, serve_admin(*core, sweeper, std::move(socket)),
                 [this](const std::exception_ptr& failure) {
                   if (failure) base::log::error("an admin answer ended by an exception");
                   if (--admins == 0) stopped.notify_all();
                 });
}

base::Task<void> Gateway::State::tick() {
  while (co_await parts.timer.sleep(kTick)) {
    sweeper.sweep();
    const auto swept = base::contained_call([this]() -> base::Result<void> {
      upstreams->sweep(sweeper.now());
      return {};
    });
    if (!swept) base::log::error("idle connections: {}", describe(swept.error()));
  }
}

// Answers under way may end; then they are cut.
base::Task<void> Gateway::State::drain() {
  core->draining = true;
  const base::BootTime until = parts.clock.boot() + kDrain;
  for (Session& session : sessions) session.stop_if_idle();
  while (!sessions.empty() && parts.clock.boot() < until) {
    if (!co_await parts.timer.sleep(kDrainLook)) break;
  }
  agent->give_up();
  for (Session& session : sessions) session.stop();
  sweeper.expire_all();
  while (!sessions.empty() || admins > 0) {
    if (!co_await stopped.wait()) co_return;
  }
}

Gateway::Gateway(asio::io_context& context, GatewayOptions options, Parts parts)
    : state_(std::make_unique<State>(context, std::move(options), parts)) {}

Gateway::~Gateway() { ASSERT(state_->closed || !state_->listener); }

base::Result<void> Gateway::open(base::os::InheritedFds& inherited) {
  return state_->open(inherited);
}

base::Task<void> Gateway::run() {
  state_->start();
  while (!state_->closed) {
    if (!co_await state_->stopped.wait()) co_return;
  }
}

base::Task<void> Gateway::close() {
  State& state = *state_;
  if (state.closed || !state.core) co_return;
  state.listener->close();
  if (state.tls_listener) state.tls_listener->close();
  if (state.admin) state.admin->close();
  co_await state.drain();
  state.upstreams->close_idle();
  co_await state.tasks.close();
  co_await state.log->flush();
  state.closed = true;
  state.stopped.notify_all();
}

Endpoint Gateway::listening() const { return state_->listener->endpoint(); }

std::optional<Endpoint> Gateway::admin_listening() const {
  if (!state_->admin) return std::nullopt;
  return state_->admin->endpoint();
}

std::optional<Endpoint> Gateway::tls_listening() const {
  if (!state_->tls_listener) return std::nullopt;
  return state_->tls_listener->endpoint();
}

std::size_t Gateway::waiting() const { return state_->agent->waiting(); }

std::uint64_t Gateway::generation() const {
  return state_->core->index ? state_->core->index->snapshot().generation : 0;
}

}  // namespace granary::gateway

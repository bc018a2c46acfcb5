#include "api/server.h"
#include "app/confinement.h"
#include "app/role.h"
#include "app/wiring/gateway_prober.h"
#include "app/wiring/intake.h"
#include "app/wiring/snapshot_publisher.h"
#include "base/log.h"
#include "base/os/file.h"
#include "base/os/system.h"
#include "cloud/host/host_driver.h"
#include "registry/token.h"
#include "wire/activity_board.h"

// The control role: the API over the store, the operations and the host cloud.
namespace granary::app {

using base::Result;
using base::Task;

namespace {

// Declared in the order in which each stands on the ones before it.
struct Control {
  Control(const Config& config, std::unique_ptr<store::Store> opened,
          std::unique_ptr<base::SigningKey> key, base::os::ThreadPool& work)
      : paths(config.data_dir),
        store(std::move(opened)),
        signing_key(std::move(key)),
        worker(work),
        engine(context.get_executor(), *store, clock, timer, rng),
        agent(context.get_executor(), timer, paths.agent_socket()),
        driver(agent),
        fleet(driver),
        publisher(context.get_executor(),
                  {*store, worker, clock, timer, [this] { return routing_in_force(); }}, paths,
                  config.domain),
        prober(config),
        lifecycle({*store, engine, {{"host", &driver}}, prober, publisher, clock}),
        intake({*store, worker, clock, rng}, paths),
        server(context.get_executor(), api_options(config),
               {*store, engine, lifecycle, intake, fleet, clock, timer, rng, worker, *signing_key}),
        tasks(context.get_executor()) {
    lifecycle.register_kinds();
    engine.on_change([this](const operation::Operation& changed) { server.on_operation(changed); });
  }

  api::Options api_options(const Config& config) const {
    api::Options options;
    options.address = config.api.address;
    options.port = config.api.port;
    options.gateway_host = public_host(config);
    options.upload_folder = paths.control() + "/uploads";
    return options;
  }

  // Opened when the agent has made it.
  std::uint64_t routing_in_force() {
    if (!board) {
      auto opened = wire::ActivityBoard::open(paths.board(), wire::ActivityBoard::Access::ReadOnly);
      if (!opened) return 0;
      board = std::move(*opened);
    }
    return board->routing();
  }

  Task<Result<void>> start();
  Task<Result<void>> ensure_operator_token();
  Task<void> serve();
  Task<void> stop();

  base::asio::io_context context{1};
  base::os::SystemClock clock;
  base::os::AsioTimer timer;
  base::os::SystemRng rng;
  wire::Paths paths;
  std::unique_ptr<wire::ActivityBoard> board;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<base::SigningKey> signing_key;
  base::os::ThreadPool& worker;
  operation::Engine engine;
  cloud::host::AgentClient agent;
  cloud::host::HostDriver driver;
  HostFleet fleet;
  SnapshotPublisher publisher;
  GatewayProber prober;
  lifecycle::Lifecycle lifecycle;
  BundleIntake intake;
  api::Server server;
  base::TaskGroup tasks;
};

// The token by which the command line on this machine is let in: a file of mode 0600, made once.
Task<Result<void>> Control::ensure_operator_token() {
  const std::string path = paths.operator_token();
  std::string secret;
  if (const auto present = base::os::read_file(path, 4096)) {
    secret = present->substr(0, present->find('\n'));
  } else {
    secret = registry::make_secret(rng);
    CO_TRY(base::os::replace_file(path, secret + "\n", 0600, base::os::Durability::Synced));
  }
  registry::Token token;
  token.created = clock.wall();
  token.id = base::make_ulid(token.created, rng);
  token.role = registry::Role::Operator;
  token.label = "made by granary up";
  co_return co_await store->write(
      [token, secret](store::Transaction& tx) { return registry::adopt_token(tx, token, secret); });
}

Task<Result<void>> Control::start() {
  CO_TRY(co_await ensure_operator_token());
  // Before the operations go on: the gateway may have lost the file with a reboot.
  CO_TRY(co_await publisher.publish());
  CO_TRY(co_await engine.recover());
  CO_TRY(server.listen());
  tasks.spawn("api", serve());
  base::log::info("the API listens on port {}", server.port());
  co_return Result<void>();
}

Task<void> Control::serve() {
  const Result<void> served = co_await server.run();
  if (!served) base::log::error("the API ended: {}", base::describe(served.error()));
}

Task<void> Control::stop() {
  co_await server.close();
  co_await publisher.close();
  co_await engine.close();
  co_await agent.close();
  co_await tasks.close();
}

}  // namespace

int control_main(const Config& config) {
  start_log("control", config);
  if (const auto confined = confine_control(config); !confined) {
    base::log::error("cannot confine itself: {}", base::describe(confined.error()));
    return kExitFailed;
  }
  base::os::ThreadPool writer(1);
  base::os::ThreadPool reader(1);
  base::os::ThreadPool worker(2);
  const wire::Paths paths(config.data_dir);
  auto store = store::open_sqlite({paths.database(), store::SqliteOptions::Durability::Full},
                                  {writer, reader}, store::migrations());
  if (!store) {
    base::log::error("cannot open the store: {}", base::describe(store.error()));
    return kExitFailed;
  }
  auto key = base::SigningKey::open(paths.signing_key());
  if (!key) {
    base::log::error("cannot open the signing key: {}", base::describe(key.error()));
    return kExitFailed;
  }
  Control control(config, std::move(*store), std::move(*key), worker);
  return run_role(
      control.context, [&] { return control.start(); }, [&](int) { return control.stop(); });
}

}  // namespace granary::app

#include "api/server.h"
#include "app/confinement.h"
#include "app/hold.h"
#include "app/limits.h"
#include "app/role.h"
#include "app/wiring/gateway_prober.h"
#include "app/wiring/intake.h"
#include "app/wiring/network_domains.h"
#include "app/wiring/platform_watch.h"
#include "app/wiring/snapshot_publisher.h"
#include "app/wiring/tenant_archives.h"
#include "base/event.h"
#include "base/log.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/system.h"
#include "cloud/host/host_driver.h"
#include "registry/token.h"
#include "wire/activity_board.h"

// The control role: the API over the store, the operations and the host cloud.
namespace granary::app {

using base::Result;
using base::Task;

namespace {

// One that ended with its account perhaps behind its row.
bool may_leave_drift(const operation::Operation& changed) {
  const bool ended_badly =
      changed.state == operation::State::Failed || changed.state == operation::State::Cancelled;
  return ended_badly && (changed.kind == "tenant.restore" || changed.kind == "tenant.offboard");
}

// Declared in the order in which each stands on the ones before it.
struct Control {
  struct Opened {
    std::unique_ptr<store::Store> store;
    std::unique_ptr<base::SigningKey> signing_key;
    std::unique_ptr<base::SealingKey> sealing_key;
    std::string boot_id;  // of the machine
    store::LeaseHolder self;
  };
  struct Workers {
    base::os::ThreadPool& files;
    base::os::ThreadPool& archives;  // whole archives: minutes each
    base::os::ThreadPool& lookups;   // waits for name servers
  };
  Control(const Config& config, Opened opened, Workers workers)
      : keep_releases(config.keep_releases),
        clock(system_clock, std::move(opened.boot_id)),
        paths(config.data_dir),
        store(std::move(opened.store)),
        signing_key(std::move(opened.signing_key)),
        sealing_key(std::move(opened.sealing_key)),
        worker(workers.files),
        leased({*store, system_clock, timer}, std::move(opened.self)),
        engine(context.get_executor(), leased, clock, timer, rng),
        keeper({context.get_executor(), leased, engine, clock}),
        agent(context.get_executor(), timer, paths.agent_socket()),
        driver(agent),
        platform(context.get_executor(), {worker, clock, timer},
                 roles_to_watch(config, [this] { return publisher.egress_in_use(); }),
                 config.data_dir),
        fleet([this](std::string after, std::uint32_t limit) { return driver.list(after, limit); },
              platform),
        publisher(context.get_executor(),
                  {leased, worker, clock, timer, [this] { return routing_in_force(); }}, paths,
                  config.domain),
        prober(config),
        intake(context.get_executor(), {leased, worker, clock, rng}, paths),
        archives({leased, workers.archives, intake}, paths),
        domains(workers.lookups),
        lifecycle({leased,
                   engine,
                   {{"host", &driver}},
                   prober,
                   publisher,
                   archives,
                   intake,
                   domains,
                   *signing_key,
                   *sealing_key,
                   clock,
                   rng}),
        uploads({archives, lifecycle, worker, clock, rng, paths.archives()}),
        server(context.get_executor(), api_options(config),
               {leased, engine, lifecycle, intake, uploads, fleet, platform, keeper, clock, timer,
                rng, worker, *signing_key}),
        tasks(context.get_executor()),
        ended(context.get_executor()) {
    lifecycle.register_kinds();
    told_api = engine.on_change(
        [this](const operation::Operation& changed) { server.on_operation(changed); });
    told_mend = engine.on_change([this](const operation::Operation& changed) {
      if (may_leave_drift(changed)) tasks.spawn("mend", mend_soon());
    });
  }

  api::Options api_options(const Config& config) const {
    api::Options options;
    options.address = config.api.address;
    options.port = config.api.port;
    options.gateway = {.scheme = public_scheme(config), .host = public_host(config)};
    options.upload_folder = paths.control() + "/uploads";
    options.archive_folder = paths.archives();
    return options;
  }

  // Opened when the agent has made it.
  std::uint64_t routing_in_force() {
    // An agent that had lost it has made another one.
    const auto now = base::os::file_stamp(paths.board());
    if (!now || now->inode != board_stamp.inode || now->device != board_stamp.device) board.reset();
    if (!board) {
      board_stamp = now.value_or(base::os::FileStamp());
      auto opened = wire::ActivityBoard::open(paths.board(), wire::ActivityBoard::Access::ReadOnly);
      if (!opened) return 0;
      board = std::move(*opened);
    }
    return board->routing();
  }

  Task<Result<void>> start();
  // Waits for the lease on the store while another control has it, then starts.
  Task<void> stand_by();
  Task<Result<void>> start_with_lease();
  Task<void> keep_lease();
  // Resolves when this control is not to go on, with its exit code.
  Task<int> until_ended();
  Task<Result<void>> ensure_operator_token();
  Task<void> serve();
  // What nobody asks for: archives and releases whose time has come go, accounts that lag behind
  // their rows are brought up to date.
  Task<void> tidy();
  Task<void> keep_time();
  Task<void> mend();
  Task<void> mend_soon();
  Task<void> stop();

  std::uint32_t keep_releases;
  base::asio::io_context context{1};
  base::os::SystemClock system_clock;
  base::TrustedClock clock;  // what all of this reads
  base::os::AsioTimer timer;
  base::os::SystemRng rng;
  wire::Paths paths;
  std::unique_ptr<wire::ActivityBoard> board;
  base::os::FileStamp board_stamp;  // of the one that is open
  std::unique_ptr<store::Store> store;
  std::unique_ptr<base::SigningKey> signing_key;
  std::unique_ptr<base::SealingKey> sealing_key;
  base::os::ThreadPool& worker;
  store::LeasedStore leased;  // what everything of control reads and writes
  operation::Engine engine;
  lifecycle::TimeKeeper keeper;
  cloud::host::AgentClient agent;
  cloud::host::HostDriver driver;
  PlatformWatch platform;
  HostFleet fleet;
  SnapshotPublisher publisher;
  GatewayProber prober;
  BundleIntake intake;
  TenantArchives archives;
  NetworkDomains domains;
  lifecycle::Lifecycle lifecycle;
  ArchiveUploads uploads;
  api::Server server;
  base::TaskGroup tasks;
  operation::Listening told_api;
  operation::Listening told_mend;
  std::optional<int> exit_code;
  base::Event ended;
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
  co_return co_await leased.write(
      [token, secret](store::Transaction& tx) { return registry::adopt_token(tx, token, secret); });
}

Task<Result<void>> Control::start() {
  const Result<void> taken = co_await leased.try_acquire();
  if (taken) co_return co_await start_with_lease();
  if (taken.error().code != base::Code::Conflict) co_return taken;
  tasks.spawn("stand by", stand_by());
  co_return Result<void>();
}

Task<void> Control::stand_by() {
  if (!co_await leased.acquire()) co_return;
  base::log::info("the lease on the store is this control's now");
  const Result<void> started = co_await start_with_lease();
  if (started) co_return;
  exit_code = cannot_start(started.error());
  ended.notify_all();
}

// Another control has it then: a new process may wait for it.
Task<void> Control::keep_lease() {
  co_await leased.keep();
  if (!leased.is_lost()) co_return;
  exit_code = kExitAway;
  ended.notify_all();
}

Task<int> Control::until_ended() {
  while (!exit_code) {
    if (!co_await ended.wait()) co_return kExitOk;
  }
  co_return *exit_code;
}

Task<Result<void>> Control::start_with_lease() {
  tasks.spawn("lease", keep_lease());
  CO_TRY(co_await keeper.recover());
  CO_TRY(co_await ensure_operator_token());
  // Before the operations go on: the gateway may have lost the file with a reboot.
  CO_TRY(co_await publisher.publish());
  CO_TRY(co_await engine.recover());
  CO_TRY(server.listen());
  tasks.spawn("api", serve());
  tasks.spawn("tidy", tidy());
  tasks.spawn("time", keep_time());
  tasks.spawn("watch", platform.run());
  base::log::info("the API listens on port {}", server.port());
  co_return Result<void>();
}

Task<void> Control::serve() {
  const Result<void> served = co_await server.run();
  if (!served) base::log::error("the API ended: {}", base::describe(served.error()));
}

Task<void> Control::mend() {
  const auto drift = co_await lifecycle.find_drift();
  if (!drift) {
    base::log::warn("comparing accounts with their rows: {}", base::describe(drift.error()));
    co_return;
  }
  for (const lifecycle::DriftItem& item : drift->items)
    base::log::warn("{} is {}: {}. {}", item.account.value, lifecycle::to_string(item.kind),
                    item.detail, item.advice);
  const auto outdated = [](const lifecycle::DriftItem& item) {
    return item.kind == lifecycle::DriftKind::Outdated;
  };
  if (std::ranges::none_of(drift->items, outdated)) co_return;
  // An earlier repair that is not done, or is paused, is not followed by one more every hour.
  const auto earlier =
      co_await engine.list({.subject = "fleet", .kind = {}, .state = {}, .after = {}, .limit = 1});
  if (!earlier || (!earlier->empty() && !operation::is_final(earlier->front().state))) co_return;
  const auto begun = co_await lifecycle.repair({}, {.actor = "granary"});
  if (!begun) base::log::warn("repairing accounts: {}", base::describe(begun.error()));
}

Task<void> Control::mend_soon() {
  if (co_await timer.sleep(kMendSoon)) co_await mend();
}

Task<void> Control::tidy() {
  std::chrono::nanoseconds pause = kTidyFirst;
  while (const Result<void> slept = co_await timer.sleep(pause)) {
    pause = kTidyEvery;
    const auto swept = co_await lifecycle.sweep_archives();
    if (!swept) base::log::warn("removing old archives: {}", base::describe(swept.error()));
    const auto left = co_await lifecycle.sweep_release_files();
    if (!left) base::log::warn("removing files of no release: {}", base::describe(left.error()));
    const auto old = co_await lifecycle.sweep_releases(keep_releases);
    if (!old) base::log::warn("removing old releases: {}", base::describe(old.error()));
    co_await mend();
  }
}

Task<void> Control::keep_time() {
  while (co_await timer.sleep(kClockLook)) {
    const Result<void> looked = co_await keeper.look();
    if (!looked) base::log::warn("keeping the time: {}", base::describe(looked.error()));
  }
}

Task<void> Control::stop() {
  co_await server.close();
  co_await publisher.close();
  co_await engine.close();
  co_await agent.close();
  co_await tasks.close();
  co_await leased.release();
}

// What the keys were used for, as the store has it.
struct KeysInUse {
  bool sealing = false;
  bool signing = false;
};

Result<bool> has_rows(store::Transaction& tx, const std::string& table) {
  TRY_ASSIGN(const auto rows, tx.exec("SELECT 1 FROM " + table + " LIMIT 1"));
  return !rows.empty();
}

// Before there is an executor of control's own.
Result<KeysInUse> keys_in_use(store::Store& store) {
  base::asio::io_context context(1);
  KeysInUse used;
  Result<void> read = base::fail(base::Code::Internal, "the store did not answer");
  const auto work = [&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(used.sealing, has_rows(tx, "secret"));
    TRY_ASSIGN(used.signing, has_rows(tx, "certificate"));
    return {};
  };
  base::asio::co_spawn(context, store.read(work),
                       [&](const std::exception_ptr& failure, Result<void> result) {
                         if (failure) std::rethrow_exception(failure);
                         read = std::move(result);
                       });
  context.run();
  if (!read) return std::unexpected(read.error());
  return used;
}

// A key that is lost is made anew only where nothing was made with it.
Result<Control::Opened> open_all(const Config& config, store::Workers workers) {
  const wire::Paths paths(config.data_dir);
  const auto make_unless = [](bool in_use) {
    return in_use ? base::IfMissing::Refuse : base::IfMissing::Make;
  };
  Control::Opened opened;
  TRY_ASSIGN(opened.store,
             store::open_sqlite({paths.database(), store::SqliteOptions::Durability::Full}, workers,
                                store::migrations()));
  TRY_ASSIGN(const KeysInUse used, keys_in_use(*opened.store));
  TRY_ASSIGN(opened.signing_key,
             base::SigningKey::open(paths.signing_key(), make_unless(used.signing)));
  TRY_ASSIGN(opened.sealing_key,
             base::SealingKey::open(paths.sealing_key(), make_unless(used.sealing)));
  return opened;
}

std::string first_word_of(const std::string& path) {
  const std::string text = base::os::read_file(path, 4096).value_or("?");
  return text.substr(0, text.find_first_of(" \n"));
}

// hold_role() has locked the folder: whoever had the lease at this place on this boot is gone.
store::LeaseHolder lease_holder(const Config& config, const std::string& boot_id) {
  store::LeaseHolder self;
  self.name = fmt::format("process {} on host {}", first_word_of("/proc/self/stat"),
                          first_word_of("/proc/sys/kernel/hostname"));
  const auto folder = base::os::file_stamp(wire::Paths(config.data_dir).control());
  if (folder && !boot_id.empty())
    self.place = fmt::format("{}/{}/{}", boot_id, folder->device, folder->inode);
  return self;
}

}  // namespace

int control_main(const Config& config) {
  start_log("control", config);
  std::string boot_id = base::os::boot_id();
  const base::os::SystemClock clock;
  const auto held = hold_role(config, RoleName::Control, clock);
  store::LeaseHolder self = lease_holder(config, boot_id);  // confined, it cannot look
  const auto confined = held ? confine_control(config) : std::unexpected(held.error());
  if (!confined) return cannot_start(confined.error());
  base::os::ThreadPool writer(1);
  base::os::ThreadPool reader(1);
  base::os::ThreadPool worker(2);
  base::os::ThreadPool archives(1);
  base::os::ThreadPool lookups(2);
  auto opened = open_all(config, {writer, reader});
  if (!opened) return cannot_start(opened.error());
  opened->self = std::move(self);
  opened->boot_id = std::move(boot_id);
  Control control(config, *std::move(opened), {worker, archives, lookups});
  return run_role(control.context, {.start = [&] { return control.start(); },
                                    .stop = [&](int) { return control.stop(); },
                                    .until = [&] { return control.until_ended(); }});
}

}  // namespace granary::app

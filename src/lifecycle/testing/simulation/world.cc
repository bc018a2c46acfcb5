#include "lifecycle/testing/simulation/world.h"

#include <cmath>

#include "base/limits.h"
#include "registry/release_row.h"

namespace granary::lifecycle::simulation {

using base::AccountId;
using base::Result;
using base::Task;
using operation::Operation;
using store::testing::Fate;
using namespace std::chrono_literals;

const std::array<ReleaseName, 3> kReleases = {{
    {"insight-1", "aaaa11112222",
     R"({"services": [{"name": "api", "routes": ["/api/"], "health": "/api/health"}]})"},
    {"insight-2", "bbbb11112222",
     R"({"services": [{"name": "api", "routes": ["/api/"], "health": "/api/health"},
                      {"name": "jobs"}],
         "secrets": ["KEY0"]})"},
    {"insight-3", "cccc11112222",
     R"({"services": [{"name": "web", "routes": ["/"], "health": "/"}],
         "secrets": ["KEY0", "KEY1"]})"},
}};

void Stats::add(const Stats& other) {
  requests += other.requests;
  operations += other.operations;
  lives += other.lives;
  crashes_at_writes += other.crashes_at_writes;
  crashes_at_calls += other.crashes_at_calls;
  crashes_at_any_time += other.crashes_at_any_time;
  store_faults += other.store_faults;
  lost_answers += other.lost_answers;
  full_disks += other.full_disks;
  clock_jumps += other.clock_jumps;
  reboots += other.reboots;
  replaced += other.replaced;
  elsewhere += other.elsewhere;
  paused += other.paused;
  kept += other.kept;
  repeated_calls += other.repeated_calls;
  hung_calls += other.hung_calls;
  checks += other.checks;
  time += other.time;
}

World::World(Options with)
    : options(with),
      base(options.seed),
      dice(options.seed * 7919 + 3),
      disk(base.executor()),
      cloud(base.timer, base.rng, options.cloud),
      link(base.executor(), cloud, base.timer, base.rng),
      tasks_(base.executor()) {
  auto signing = base::SigningKey::open(disk.folder() + "/signing");
  auto sealing = base::SealingKey::open(disk.folder() + "/sealing");
  ASSERT(signing.has_value() && sealing.has_value());
  signing_key_ = std::move(*signing);
  sealing_key_ = std::move(*sealing);
  link.set_faults(options.link);
  requests_left = options.operations;
  add_releases();
  spawn(live(0ms));
  if (options.crash_every > 0s) spawn(kill_now_and_then());
  if (options.disk_full_every > 0s) spawn(fill_disk_now_and_then());
  if (options.clock_jump_every > 0s) spawn(set_clock_now_and_then());
  if (options.reboot_every > 0s) spawn(reboot_now_and_then());
  if (options.replace_every > 0s) spawn(replace_now_and_then());
  base.settle();
}

World::~World() {
  if (control_) {
    control_->kill();
    base.run(control_->close());
  }
  const auto left = std::move(replaced_);  // burials that are under way look for them there
  for (const auto& control : left) {
    control->kill();
    base.run(control->close());
  }
  ready_ = false;
  base.run(link.close());
  base.run(tasks_.close());
  base.settle();
}

void World::add_releases() {
  base.run([](World& world) -> Task<void> {
    for (const ReleaseName& name : kReleases) {
      registry::Release release;
      release.hash = name.hash;
      release.id = base::ReleaseId(name.id);
      release.app = "insight";
      release.manifest = name.manifest;
      release.created = world.base.clock.wall();
      const auto written = co_await world.disk.store()->write([&](store::Transaction& tx) {
        const auto inserted = registry::insert_release(tx, release);
        return inserted ? Result<void>() : std::unexpected(inserted.error());
      });
      ASSERT(written.has_value());
    }
  }(*this));
}

void World::fail(std::string what) {
  if (!failure_.empty()) return;
  failure_ = std::move(what);
  trace.line("WRONG: {}", failure_);
}

bool World::run_until(const std::function<bool()>& done, std::chrono::nanoseconds limit) {
  const base::BootTime end = base.clock.boot() + limit;
  base.settle();
  while (failure_.empty() && !done()) {
    const auto due = base.timer.next_due();
    if (!due || *due > end) {
      base.advance(end - base.clock.boot());
      break;
    }
    base.advance(std::max(*due - base.clock.boot(), base::BootTime(0)));
  }
  return done();
}

Task<void> World::pause(std::chrono::milliseconds time) { (void)co_await base.timer.sleep(time); }

std::chrono::milliseconds World::about(std::chrono::milliseconds average) {
  return std::chrono::milliseconds(
      1 + static_cast<std::int64_t>(dice.below(2 * static_cast<std::uint64_t>(average.count()))));
}

// ---- the control plane's lives

Task<void> World::live(std::chrono::milliseconds delay) {
  if (!co_await base.timer.sleep(delay)) co_return;
  ++stats.lives;
  trace.line("control starts");
  store::testing::FaultyStore::Faults faults{.of_write = [this] { return fate_of_write(); },
                                             .of_read = [this] { return fate_of_read(); },
                                             .crashed =
                                                 [this] {
                                                   ++stats.crashes_at_writes;
                                                   crash("at a write");
                                                 }};
  Control::Chances chances;
  if (!calm_) chances = {options.probe_fails, options.publish_fails, options.archive_fails};
  changing.clear();
  auto control = control_ = std::make_shared<Control>(
      Control::Outside{base, link, prober, [this] { publish(); }, archives, domains, *signing_key_,
                       *sealing_key_, fmt::format("boot {}", boots_),
                       fmt::format("place {}", place_), options.lease_renews,
                       [this](const std::string& archive) { watch_removal(archive); }},
      disk.store(), chances, std::move(faults), watch());
  if (disk_full_) control->store().fill_disk();
  control->on_change([this](const Operation& changed) { watch_operation(changed); });
  auto recovered = co_await take_lease(control);
  if (recovered && !control->dead()) recovered = co_await control->keeper().recover();
  if (recovered && !control->dead()) recovered = co_await control->engine().recover();
  if (control->dead()) co_return;
  if (!recovered) {
    crash("it could not start: " + recovered.error().message);
    co_return;
  }
  ready_ = true;
  spawn(keep_time(control));
}

// At another place than the one that died it waits until that one's lease has expired.
Task<Result<void>> World::take_lease(std::shared_ptr<Control> control) {
  bool waited = false;
  for (;;) {
    auto taken = co_await control->take_lease();
    const bool waits = !taken && taken.error().code == base::Code::Conflict && !control->dead();
    if (!waits) co_return taken;
    if (!waited) ++stats.elsewhere;
    waited = true;
    CO_TRY(co_await base.timer.sleep(options.lease_renews / 2));
  }
}

void World::replace() {
  if (!control_ || !ready_) return;
  ++stats.replaced;
  trace.line("control is replaced");
  ready_ = false;
  replaced_.push_back(std::move(control_));
  control_.reset();
  replaced_.back()->isolate();
  spawn(bury_later(replaced_.back()));
  spawn(live(about(2s)));
}

// As a supervisor does with one that ended by itself, but late.
Task<void> World::bury_later(std::shared_ptr<Control> replaced) {
  if (!co_await base.timer.sleep(about(5min))) co_return;
  replaced->kill();
  co_await replaced->close();
  std::erase(replaced_, replaced);
}

Task<void> World::replace_now_and_then() {
  while (!calm_) {
    if (!co_await base.timer.sleep(about(options.replace_every))) co_return;
    if (calm_) co_return;
    // The one after the next crash is at another place.
    if (dice.below(3) == 0) {
      ++place_;
    } else {
      replace();
    }
  }
}

void World::crash(const std::string& why) { end_life(why, arms_ ? 1ms : about(2s)); }

void World::end_life(const std::string& why, std::chrono::milliseconds off) {
  if (!control_) return;
  trace.line("control dies {}", why);
  ready_ = false;
  const std::shared_ptr<Control> dead = std::move(control_);
  control_.reset();
  dead->kill();
  // On the disk as it is from here on nobody works who had the one before it open.
  for (const auto& replaced : replaced_) replaced->kill();
  disk.crash_image();
  spawn(bury(dead));
  spawn(live(off));
}

Task<void> World::bury(std::shared_ptr<Control> dead) {
  // Not from within a task of its own, which may be what has just met its end.
  co_await base::asio::post(base.executor(), base::asio::use_awaitable);
  co_await dead->close();
}

void World::calm() {
  calm_ = true;
  if (arms_) arms_ = Arms();
  set_clock(-clock_error_);  // somebody sets it right
  disk_full_ = false;
  cloud.set_faults({});
  link.set_faults({});
  if (!control_) return;
  control_->store().free_disk();
  control_->calm();
}

void World::arm(Arms arms) {
  arms_ = std::move(arms);
  writes_ = calls_ = 0;
}

// Reading the whole fleet at each publication would be most of a large world's work.
void World::publish() {
  constexpr std::uint32_t kSmall = 100;
  if (options.tenants > kSmall) return;
  disk.look([this](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto rows, tx.exec("SELECT id, state FROM account"));
    published.clear();
    for (const store::Row& row : rows) published[row.text(0)] = row.text(1);
    return {};
  });
}

// ---- what goes wrong

Fate World::fate_of_write() {
  ++writes_;
  Fate fate = Fate::Done;
  if (arms_) {
    const auto found = arms_->writes.find(writes_);
    if (found != arms_->writes.end()) fate = found->second;
  } else if (!calm_) {
    fate = draw_fate();
  }
  stats.store_faults += fate == Fate::FailBefore || fate == Fate::FailInside ? 1U : 0U;
  stats.lost_answers += fate == Fate::LoseAnswer ? 1U : 0U;
  if (fate != Fate::Done) trace.line("write {} meets fate {}", writes_, static_cast<int>(fate));
  return fate;
}

Fate World::draw_fate() {
  if (chance(options.store_fails)) return dice.below(2) == 0 ? Fate::FailBefore : Fate::FailInside;
  if (chance(options.store_loses)) return Fate::LoseAnswer;
  if (!chance(options.crash_at_write)) return Fate::Done;
  constexpr std::array kCrashes = {Fate::CrashBefore, Fate::CrashInside, Fate::CrashAfter};
  return kCrashes[dice.below(kCrashes.size())];
}

Fate World::fate_of_read() {
  if (arms_ || calm_ || !chance(options.reads_fail)) return Fate::Done;
  ++stats.store_faults;
  return Fate::FailBefore;
}

Task<void> World::kill_now_and_then() {
  while (!calm_) {
    if (!co_await base.timer.sleep(about(options.crash_every))) co_return;
    if (calm_ || !control_) continue;
    ++stats.crashes_at_any_time;
    crash("at some moment");
  }
}

Task<void> World::fill_disk_now_and_then() {
  while (!calm_) {
    if (!co_await base.timer.sleep(about(options.disk_full_every))) co_return;
    if (calm_) co_return;
    ++stats.full_disks;
    trace.line("the disk is full");
    disk_full_ = true;
    if (control_) control_->store().fill_disk();
    if (!co_await base.timer.sleep(
            about(std::min<std::chrono::milliseconds>(5min, options.disk_full_every))))
      co_return;
    trace.line("the disk has room");
    disk_full_ = false;
    if (control_) control_->store().free_disk();
  }
}

void World::set_clock(std::chrono::milliseconds by) {
  if (by.count() == 0) return;
  trace.line("the clock is set by {} ms", by.count());
  base.clock.jump_wall(by);
  clock_error_ += by;
}

// By minutes as often as by years, and sometimes right again.
Task<void> World::set_clock_now_and_then() {
  constexpr double kMinutesOfTenYears = 5'256'000;
  while (!calm_) {
    if (!co_await base.timer.sleep(about(options.clock_jump_every))) co_return;
    if (calm_) co_return;
    ++stats.clock_jumps;
    if (dice.below(3) == 0) {
      set_clock(-clock_error_);
      continue;
    }
    const auto minutes = static_cast<std::int64_t>(std::pow(kMinutesOfTenYears, dice.unit()));
    const auto by = std::chrono::minutes(1 + minutes) * (dice.below(2) == 0 ? -1 : 1);
    set_clock(by - clock_error_);
  }
}

// Control is away with its machine, seldom for hours; boot time says nothing of how long.
Task<void> World::reboot_now_and_then() {
  while (!calm_) {
    if (!co_await base.timer.sleep(about(options.reboot_every))) co_return;
    if (calm_ || !control_) continue;
    ++stats.reboots;
    ++boots_;
    const auto off = about(dice.below(4) == 0 ? std::chrono::milliseconds(10h) : 2min);
    end_life("with its machine", off);
    reboots_.push_back(base.clock.boot() + off);
  }
}

Task<void> World::keep_time(std::shared_ptr<Control> control) {
  constexpr std::chrono::minutes kLook{15};
  while (co_await base.timer.sleep(kLook)) {
    if (control->dead()) co_return;
    (void)co_await control->keeper().look();  // the store may fail: the next look is another one
  }
}

// ---- what must be kept

void World::keep(Call& call, std::chrono::milliseconds length) {
  call.keeps = length;
  call.asked = base.clock.boot();
}

void World::must_have_been_kept(const std::string& what, const std::string& actor) {
  const Call* call = journal.find(actor);
  if (call == nullptr || call->keeps.count() == 0) return;
  const base::BootTime passed = base.clock.boot() - call->asked;
  // The tolerance of a line, up and down, and once more for each new line; each reboot hides up to
  // an hour, also one shortly before.
  base::BootTime early = 2 * base::kClockTolerance * (1 + passed / base::kClockLine);
  for (const base::BootTime reboot : reboots_) {
    if (reboot > call->asked - 30h) early += base::kShortAbsence + base::kClockTolerance;
  }
  if (passed + early < call->keeps)
    fail(fmt::format("{} is destroyed {} s after it was to be kept for {} s", what,
                     std::chrono::floor<std::chrono::seconds>(passed).count(),
                     std::chrono::floor<std::chrono::seconds>(call->keeps).count()));
  if (early < call->keeps) ++stats.kept;
}

void World::watch_destroy(const AccountId& account) {
  const auto found = offboardings_.find(account);
  if (found == offboardings_.end() || operation::is_final(found->second.state)) return;
  must_have_been_kept("account " + account.value, found->second.actor);
}

void World::watch_removal(const std::string& archive) {
  if (archives_removed.contains(archive)) return;
  disk.look([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto rows,
               tx.exec("SELECT archive.account, operation.kind, operation.actor FROM archive JOIN "
                       "operation ON operation.id = archive.id WHERE archive.id = :1",
                       {archive}));
    if (rows.empty()) return {};
    const auto leaves = offboardings_.find(AccountId(rows.front().text(0)));
    const bool goes_with_account = leaves != offboardings_.end() &&
                                   !operation::is_final(leaves->second.state) &&
                                   leaves->second.step == "destroy";
    if (goes_with_account) return {};
    if (rows.front().text(1) == "tenant.export")
      must_have_been_kept("archive " + archive, rows.front().text(2));
    archives_removed.insert(archive);
    return {};
  });
}

// ---- what is watched at every call and every change

cloud::sim::LinkEnd::Watch World::watch() {
  // What a dead control asked for is still answered, but says nothing of the one that lives.
  const std::uint64_t life = stats.lives;
  return {.began = [this](std::string_view verb,
                          const AccountId& account) { call_began(verb, account); },
          .ended =
              [this, life](std::string_view, const AccountId& account) {
                if (life == stats.lives) changing.erase(account);
              },
          .converging = [this](const cloud::Desired& desired) { watch_converge(desired); }};
}

void World::call_began(std::string_view verb, const AccountId& account) {
  trace.line("call {} {}", verb, account.value);
  const auto [other, first] = changing.emplace(account, verb);
  if (!first)
    fail(
        fmt::format("{} of {} is asked for while {} is not answered: two operations on one "
                    "tenant at once",
                    verb, account.value, other->second));
  if (verb == "destroy") watch_destroy(account);
  ++calls_;
  const bool armed = arms_ && arms_->calls.contains(calls_);
  if (armed || (!arms_ && !calm_ && chance(options.crash_at_call))) {
    ++stats.crashes_at_calls;
    crash("when it calls the cloud");
  }
}

// A version says whether traffic is allowed: a repetition of an earlier call would undo it else.
void World::watch_converge(const cloud::Desired& desired) {
  cloud::Desired& last = converged_[desired.account];
  const bool again = last.ordinal == desired.ordinal && last.version == desired.version;
  if (again && last.traffic != desired.traffic)
    fail(fmt::format("version {} of {} is asked for with traffic and without", desired.version,
                     desired.account.value));
  last = desired;
}

void World::watch_operation(const Operation& operation) {
  trace.line("operation {} {} {}: {} {} attempt {}{}", operation.id.value, operation.kind,
             operation.subject, operation::to_string(operation.state), operation.step,
             operation.attempts, operation.error ? ": " + operation.error->message : "");
  if (operation.kind == "tenant.offboard")
    offboardings_[AccountId(operation.subject.substr(std::string_view("tenant/").size()))] =
        operation;
  const auto found = ended.find(operation.id);
  if (found != ended.end()) {
    const bool again = found->second == operation::State::Failed &&
                       journal.was_retried(operation.id, operation.parent);
    if (!again && operation.state != found->second)
      fail(fmt::format("operation {} ({} of {}) ended as {}, and is {} again", operation.id.value,
                       operation.kind, operation.subject, operation::to_string(found->second),
                       operation::to_string(operation.state)));
    if (again && !operation::is_final(operation.state)) ended.erase(found);
  }
  if (!operation::is_final(operation.state)) return;
  ended[operation.id] = operation.state;
}

}  // namespace granary::lifecycle::simulation

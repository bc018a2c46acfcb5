#include "agent/testing/agent_world.h"

#include <stdlib.h>
#include <unistd.h>

namespace granary::agent {
namespace {

std::filesystem::path make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "granary-agent-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

}  // namespace

AgentWorld::AgentWorld()
    : folder_(make_folder()),
      paths_(folder_.string()),
      launcher_(world_.executor()),
      options_{.paths = paths_, .uid_base = 200'000, .memory_budget = 0, .start_places = 4} {
  std::filesystem::create_directories(paths_.run());
  std::filesystem::create_directories(paths_.transfers());
  std::filesystem::create_directories(paths_.release(std::string(64, 'a')));
  std::filesystem::create_directories(paths_.release(std::string(64, 'b')));
  EXPECT_TRUE(wire::ActivityBoard::create(paths_.board(), 0600, ::getegid()).has_value());
  auto board = wire::ActivityBoard::open(paths_.board(), wire::ActivityBoard::Access::ReadWrite);
  EXPECT_TRUE(board.has_value());
  board_ = std::move(*board);
  restart();
}

AgentWorld::~AgentWorld() {
  world_.run(accounts_->close(Accounts::Silos::LeaveRunning));
  accounts_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

AccountsParts AgentWorld::parts() {
  return {.executor = world_.executor(),
          .clock = world_.clock,
          .timer = world_.timer,
          .rng = world_.rng,
          .worker = world_.worker,
          .bulk = world_.worker,
          .launcher = launcher_,
          .doors = doors_,
          .cgroups = cgroups_,
          .volumes = volumes_,
          .board = *board_};
}

void AgentWorld::restart() {
  if (accounts_) world_.run(accounts_->close(Accounts::Silos::LeaveRunning));
  doors_.agent_died();
  accounts_ = std::make_unique<Accounts>(options_, parts());
  const auto recovered = world_.run(accounts_->recover());
  EXPECT_TRUE(recovered.has_value()) << describe(recovered.error());
  world_.settle();
}

wire::AccountSpec AgentWorld::spec_of(const std::string& account) {
  const auto known = specs_.find(account);
  if (known != specs_.end()) return known->second;
  wire::ServiceSpec service;
  service.name = "api";
  service.command = {"serve"};
  service.idle = std::chrono::seconds(60);
  service.slot = static_cast<std::uint32_t>(specs_.size()) + 1;
  wire::AccountSpec spec;
  spec.account = base::AccountId(account);
  spec.ordinal = static_cast<std::uint32_t>(specs_.size()) + 1;
  spec.disk_bytes = 64ULL << 20;
  spec.release_hash = std::string(64, 'a');
  spec.release_name = "first";
  spec.services = {service};
  spec.version = 1;
  return spec;
}

void AgentWorld::apply(const wire::AccountSpec& spec) {
  specs_[spec.account.value] = spec;
  const auto applied = world_.run(accounts_->apply(spec));
  EXPECT_TRUE(applied.has_value()) << describe(applied.error());
}

wire::AgentResult<std::uint32_t> AgentWorld::activate(const std::string& account) {
  return world_.run(accounts_->activate(api(account)));
}

wire::ServiceReport AgentWorld::report(const std::string& account) {
  const auto found = world_.run(accounts_->report(base::AccountId(account)));
  EXPECT_TRUE(found.has_value());
  return found->services.at(0);
}

wire::BoardSlot& AgentWorld::slot(const std::string& account) {
  return board_->slot(specs_.at(account).services.at(0).slot);
}

void AgentWorld::request_begins(const std::string& account) {
  slot(account).in_flight.fetch_add(1);
  slot(account).last_activity.store(static_cast<std::uint64_t>(world_.clock.boot().count()));
}

void AgentWorld::request_ends(const std::string& account) {
  slot(account).in_flight.fetch_sub(1);
  slot(account).last_activity.store(static_cast<std::uint64_t>(world_.clock.boot().count()));
}

}  // namespace granary::agent

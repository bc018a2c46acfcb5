#include "app/wiring/platform_watch.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "app/ask_agent.h"
#include "app/limits.h"
#include "app/wiring/gateway_prober.h"
#include "base/os/disk_room.h"
#include "wire/paths.h"
#include "wire/room.h"

namespace granary::app {

using base::Code;
using base::Result;
using base::Task;

namespace {

std::string request_for(const std::string& path, const std::string& host) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: granary-check\r\nConnection: close\r\n\r\n", path,
      host);
}

// Any answer will do: it speaks HTTP.
Task<Result<void>> any_answer(Task<Result<int>> asking) {
  CO_TRY(co_await std::move(asking));
  co_return Result<void>();
}

}  // namespace

WatchedRoles roles_to_watch(const Config& config, std::function<bool()> egress_in_use) {
  const wire::Paths paths(config.data_dir);
  WatchedRoles roles;
  roles.agent = {.name = "the agent",
                 .effect = "no service is started or stopped",
                 .ask = [socket = paths.agent_socket()](std::chrono::nanoseconds deadline) {
                   return ask_agent(socket, deadline);
                 }};
  roles.gateway = {.name = "the gateway",
                   .effect = "no tenant is served",
                   .ask = [where = config.gateway, request = request_for("/", config.domain)](
                              std::chrono::nanoseconds deadline) {
                     return any_answer(http_status(where, request, deadline));
                   }};
  roles.egress = {.name = "the egress role",
                  .effect = "apps reach nothing outside",
                  .ask =
                      [socket = paths.egress_socket(),
                       request = request_for("/", "egress")](std::chrono::nanoseconds deadline) {
                        return any_answer(http_status_of_socket(socket, request, deadline));
                      },
                  .needed = std::move(egress_in_use)};
  return roles;
}

PlatformWatch::PlatformWatch(base::asio::any_io_executor executor, Parts parts, WatchedRoles roles,
                             std::string data_dir)
    : parts_(parts),
      roles_(std::move(roles)),
      data_dir_(std::move(data_dir)),
      found_(std::move(executor)) {}

Task<api::PlatformState> PlatformWatch::look() {
  while (looking_) {
    if (!co_await found_.wait()) co_return last_;
  }
  if (looked_ && parts_.clock.boot() - *looked_ < kStateKept) co_return last_;
  looking_ = true;
  // Also when the caller is cancelled meanwhile: the next one looks for itself.
  const auto done = [this](bool* looking) {
    *looking = false;
    found_.notify_all();
  };
  const std::unique_ptr<bool, decltype(done)> turn(&looking_, done);
  last_ = co_await look_now();
  looked_ = parts_.clock.boot();
  co_return last_;
}

Task<Result<void>> PlatformWatch::agent_answers() {
  (void)co_await look();
  if (agent_away_.empty()) co_return Result<void>();
  co_return base::fail_with_advice(Code::Unavailable, agent_away_,
                                   "The log of granary up says why; it starts the agent again");
}

Task<base::Error> PlatformWatch::agent_away() {
  for (;;) {
    const Result<void> answers = co_await agent_answers();
    if (!answers) co_return answers.error();
    if (const Result<void> slept = co_await parts_.timer.sleep(kStateKept); !slept)
      co_return slept.error();
  }
}

Task<void> PlatformWatch::run() {
  while (co_await parts_.timer.sleep(kWatchEvery)) (void)co_await look();
}

Task<void> PlatformWatch::ask_all(api::PlatformState& state) {
  using base::asio::experimental::awaitable_operators::operator&&;
  const auto [agent, gateway, egress] =
      co_await (insist(roles_.agent) && insist(roles_.gateway) && insist(roles_.egress));
  agent_away_ = agent;
  for (const std::string& away : {agent, gateway, egress}) {
    if (!away.empty()) state.not_ready.push_back(away);
  }
}

Task<api::PlatformState> PlatformWatch::look_now() {
  api::PlatformState state;
  co_await ask_all(state);
  const auto free = co_await base::run_on(
      parts_.worker, [this] { return base::os::disk_room(wire::Paths(data_dir_).control()); });
  if (!free) {
    state.warnings.push_back(base::describe(free.error()));
    co_return state;
  }
  state.free_bytes = free->free;
  if (auto low = wire::low_room(data_dir_, free->free, free->total))
    state.warnings.push_back(*std::move(low));
  co_return state;
}

Task<std::string> PlatformWatch::insist(WatchedRole& role) {
  if (!role.needed()) co_return "";
  const base::BootTime end = parts_.clock.boot() + kAwayAfter;
  for (;;) {
    const Result<void> answered =
        co_await role.ask(std::max(end - parts_.clock.boot(), base::BootTime(kAwayLook)));
    if (answered) {
      role.answered = parts_.clock.wall();
      co_return "";
    }
    // One that is there and silent has had its time already.
    const bool over = answered.error().code == Code::Deadline ||
                      parts_.clock.boot() + kAwayLook >= end ||
                      !co_await parts_.timer.sleep(kAwayLook);
    if (!over) continue;
    const std::string since = role.answered
                                  ? "has not answered since " + base::to_rfc3339(*role.answered)
                                  : "does not answer";
    const std::string why = answered.error().code == Code::Deadline
                                ? ""
                                : fmt::format(" ({})", answered.error().message);
    co_return fmt::format("{} {}{}: {}", role.name, since, why, role.effect);
  }
}

Task<Result<cloud::Page>> HostFleet::list_once(std::string after, std::uint32_t limit) {
  using base::asio::experimental::awaitable_operators::operator||;
  auto first = co_await (list_(std::move(after), limit) || watch_.agent_away());
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return std::unexpected(std::get<1>(std::move(first)));
}

// An agent that is being started again is waited for, as long as a look takes.
Task<Result<cloud::Page>> HostFleet::list(std::string after, std::uint32_t limit) {
  auto page = co_await list_once(after, limit);
  if (page || page.error().code != Code::Unavailable) co_return page;
  CO_TRY(co_await watch_.agent_answers());
  co_return co_await list_once(after, limit);
}

}  // namespace granary::app

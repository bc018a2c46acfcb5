#include "app/wiring/platform_watch.h"

#include "app/ask_agent.h"
#include "app/limits.h"
#include "app/wiring/gateway_prober.h"
#include "base/os/file.h"
#include "base/os/unix_socket.h"
#include "wire/room.h"

namespace granary::app {

using base::Code;
using base::Result;
using base::Task;

PlatformWatch::PlatformWatch(base::asio::any_io_executor executor, Parts parts,
                             const Config& config)
    : parts_(std::move(parts)),
      config_(config),
      paths_(config.data_dir),
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

Task<api::PlatformState> PlatformWatch::look_now() {
  api::PlatformState state;
  const auto away = [&](std::string_view who, const base::Error& error, std::string_view effect) {
    state.not_ready.push_back(
        fmt::format("{} does not answer ({}): {}", who, error.message, effect));
  };
  if (const auto agent = co_await insist(&PlatformWatch::ask_the_agent); !agent)
    away("the agent", agent.error(), "no service is started or stopped");
  if (const auto gateway = co_await insist(&PlatformWatch::ask_the_gateway); !gateway)
    away("the gateway", gateway.error(), "no tenant is served");
  if (parts_.egress_in_use()) {
    if (const auto egress = co_await insist(&PlatformWatch::ask_the_egress); !egress)
      away("the egress role", egress.error(), "apps reach nothing outside");
  }
  const auto free = co_await base::run_on(
      parts_.worker, [this] { return base::os::free_bytes(paths_.control()); });
  if (!free) {
    state.warnings.push_back(base::describe(free.error()));
    co_return state;
  }
  state.free_bytes = *free;
  if (auto low = wire::low_room(config_.data_dir, *free)) state.warnings.push_back(*std::move(low));
  co_return state;
}

Task<Result<void>> PlatformWatch::insist(Ask ask) {
  for (auto left = kAwayAfter;; left -= kAwayLook) {
    const Result<void> answered = co_await (this->*ask)();
    // One that is there and silent has had its time already.
    if (answered || answered.error().code == Code::Deadline || left <= left.zero())
      co_return answered;
    CO_TRY(co_await parts_.timer.sleep(kAwayLook));
  }
}

Task<Result<void>> PlatformWatch::ask_the_agent() {
  co_return co_await ask_agent(paths_.agent_socket(), kAwayAfter);
}

// Any answer will do: it speaks HTTP.
Task<Result<void>> PlatformWatch::ask_the_gateway() {
  const std::string request = fmt::format(
      "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: granary-check\r\nConnection: close\r\n\r\n",
      config_.domain);
  CO_TRY(co_await http_status(config_.gateway, request, kAwayAfter));
  co_return Result<void>();
}

Task<Result<void>> PlatformWatch::ask_the_egress() {
  if (config_.egress_admin && config_.egress_admin->port != 0) {
    CO_TRY(co_await http_status(
        *config_.egress_admin, "GET /healthz HTTP/1.1\r\nHost: egress\r\nConnection: close\r\n\r\n",
        kAwayAfter));
    co_return Result<void>();
  }
  CO_TRY_ASSIGN(const auto connection, base::os::connect_unix(paths_.egress_socket()));
  if (connection.outcome == base::os::Connecting::NobodyListens)
    co_return base::fail(Code::Unavailable, "nobody listens at its socket");
  co_return Result<void>();
}

}  // namespace granary::app

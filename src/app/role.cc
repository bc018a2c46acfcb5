#include "app/role.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "app/limits.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/system.h"
#include "base/task_group.h"

namespace granary::app {

using base::Result;
using base::Task;

namespace {

// What a burst (a thousand tenants made or woken) leaves behind in the allocator.
Task<void> keep_memory_small() {
  base::os::AsioTimer timer;
  while (co_await timer.sleep(kMemoryLook)) base::os::give_back_memory(kSpareMemory);
}

// A terminal that went away, or the habit of reloading so: neither is to end the tenants' platform.
Task<int> await_signal(base::asio::signal_set& signals) {
  for (;;) {
    base::ErrorCode error;
    const int number = co_await signals.async_wait(base::into(error));
    if (error || number != SIGHUP) co_return error ? SIGTERM : number;
    base::log::warn("SIGHUP changes nothing: restart it to change its configuration");
  }
}

struct Ending {
  int signal = SIGTERM;
  int code = kExitOk;
};

Task<Ending> await_end(base::asio::signal_set& signals, const std::function<Task<int>()>& until) {
  using base::asio::experimental::awaitable_operators::operator||;
  if (!until) co_return Ending{.signal = co_await await_signal(signals)};
  const auto first = co_await (await_signal(signals) || until());
  if (first.index() == 0) co_return Ending{.signal = std::get<0>(first)};
  co_return Ending{.code = std::get<1>(first)};
}

Task<int> serve(RoleMain role) {
  base::asio::signal_set signals(co_await base::asio::this_coro::executor, SIGTERM, SIGINT, SIGHUP);
  base::os::unblock_signals();
  base::TaskGroup tasks(co_await base::asio::this_coro::executor);
  const Result<void> started = co_await role.start();
  if (!started) co_return cannot_start(started.error());
  tasks.spawn("memory", keep_memory_small());
  const Ending ending = co_await await_end(signals, role.until);
  base::log::info("stopping");
  co_await tasks.close();
  co_await role.stop(ending.signal);
  co_return ending.code;
}

}  // namespace

int exit_code_of(const base::Error& error) {
  switch (error.code) {
    case base::Code::InvalidArgument:
    case base::Code::Refused:
    case base::Code::NotSupported:
    case base::Code::DataLoss:
      return kExitWrongUsage;
    case base::Code::Conflict:
    case base::Code::AlreadyExists:
      return kExitRefused;
    case base::Code::Unauthenticated:
    case base::Code::NotFound:
    case base::Code::Exhausted:
    case base::Code::NoRoom:
    case base::Code::Unavailable:
    case base::Code::Deadline:
    case base::Code::Cancelled:
    case base::Code::Internal:
      return kExitFailed;
  }
  return kExitFailed;
}

int cannot_start(const base::Error& error) {
  base::log::error("cannot start: {}", base::describe(error));
  return exit_code_of(error);
}

int run_role(base::asio::io_context& context, RoleMain role) {
  int code = kExitFailed;
  base::asio::co_spawn(context, serve(std::move(role)),
                       [&](const std::exception_ptr& failure, int result) {
                         if (failure) std::rethrow_exception(failure);
                         code = result;
                         context.stop();
                       });
  context.run();
  return code;
}

Result<std::string> init_program() {
  TRY_ASSIGN(const std::string own, base::os::own_program());
  const std::string beside = own.substr(0, own.rfind('/')) + "/granary-init";
  if (base::os::exists(beside)) return beside;
  return base::fail_with_advice(base::Code::NotFound, "there is no " + beside,
                                "Install granary-init beside granary");
}

void start_log(const char* role, const Config& config) {
  base::log::Level level = base::log::Level::Info;
  if (config.log_level == "debug") level = base::log::Level::Debug;
  if (config.log_level == "warn") level = base::log::Level::Warn;
  if (config.log_level == "error") level = base::log::Level::Error;
  // A peer that closes while we write, the reader of the log too, is an error code and not the end.
  std::signal(SIGPIPE, SIG_IGN);
  base::log::start(role, level);
  base::os::share_memory_pools();
}

}  // namespace granary::app

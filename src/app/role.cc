#include "app/role.h"

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

Task<int> serve(std::function<Task<Result<void>>()> start, std::function<Task<void>(int)> stop) {
  base::asio::signal_set signals(co_await base::asio::this_coro::executor, SIGTERM, SIGINT);
  base::os::unblock_signals();
  base::TaskGroup tasks(co_await base::asio::this_coro::executor);
  const Result<void> started = co_await start();
  if (!started) {
    base::log::error("cannot start: {}", base::describe(started.error()));
    co_return kExitFailed;
  }
  tasks.spawn("memory", keep_memory_small());
  base::ErrorCode error;
  const int number = co_await signals.async_wait(base::into(error));
  base::log::info("stopping");
  co_await tasks.close();
  co_await stop(number);
  co_return kExitOk;
}

}  // namespace

int run_role(base::asio::io_context& context, std::function<Task<Result<void>>()> start,
             std::function<Task<void>(int)> stop) {
  // A peer that closes while we write is an error code, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  int code = kExitFailed;
  base::asio::co_spawn(context, serve(std::move(start), std::move(stop)),
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
  base::log::start(role, level);
  base::os::share_memory_pools();
}

}  // namespace granary::app

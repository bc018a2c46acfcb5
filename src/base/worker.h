// Where blocking work runs (SQL, fsync, mount, DNS, exec), so that no executor ever blocks.
// run_on() may be awaited from any executor; the coroutine resumes on its own one.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <exception>
#include <expected>
#include <functional>
#include <type_traits>

#include "base/async.h"

namespace granary::base {

class Worker {
 public:
  virtual ~Worker() = default;
  // Runs `work` once, soon, on a thread of the worker's own. `work` must not throw: use run_on().
  virtual void post(std::move_only_function<void()> work) = 0;
};

// Resolves to work()'s value; what it throws is thrown to the caller. Cancelling the caller does
// not stop the work: it is waited for, so that what it refers to stays alive.
template <class F>
Task<std::invoke_result_t<F&>> run_on(Worker& worker, F work) {
  using Value = std::invoke_result_t<F&>;
  using Outcome = std::expected<Value, std::exception_ptr>;
  auto start = [](auto handler, Worker* on, F job) {
    auto executor = asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked);
    on->post([handler = std::move(handler), job = std::move(job), executor]() mutable {
      auto attempt = [&job]() -> Outcome {
        try {
          return Outcome(std::in_place, job());
        } catch (...) {
          return std::unexpected(std::current_exception());
        }
      };
      asio::post(executor, [handler = std::move(handler), outcome = attempt()]() mutable {
        std::move(handler)(std::move(outcome));
      });
    });
  };
  Outcome outcome = co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Outcome)>(
      std::move(start), asio::use_awaitable, &worker, std::move(work));
  if (!outcome) std::rethrow_exception(outcome.error());
  co_return std::move(*outcome);
}

}  // namespace granary::base

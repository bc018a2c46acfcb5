// Names for Asio's coroutine types as this program uses them: Task<T> is what an asynchronous
// function returns, and an executor is what owns an object. Included by whatever suspends.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.h"

namespace granary::base {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

template <class T>
using Task = asio::awaitable<T>;

// Completion token: the error lands in `error` instead of an exception.
inline auto into(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

// The Error for an Asio error: cancellation, deadline and a peer that went away keep their codes.
Error from_asio(const ErrorCode& error, std::string_view doing);

}  // namespace granary::base

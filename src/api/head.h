// From the head of an HTTP request to a Request: what is ambiguous or malformed is refused here,
// so that no handler meets it. Pure; any thread.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <expected>

#include "api/message.h"

namespace granary::api {

using Head = http::request_header<http::fields>;

// The request without its body; `request_id` stays empty where the client gives no valid one.
// Errors: 400 (target, Host, encodings, header given twice, key), 417 (an Expect we do not know).
std::expected<Request, Rejection> read_head(const Head& head);

// The client's X-Request-Id, if it is one; else empty.
std::string request_id_of(const Head& head);
// Whether the client waits for a go-ahead before it sends the body.
enum class Waits { No, ForContinue };
Waits waits_for_continue(const Head& head);

}  // namespace granary::api

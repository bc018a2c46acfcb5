// Reads requests off a connection, strictly: what two programs could understand differently is
// refused, so that nothing can be smuggled past the gateway's decisions. Over Beast's parser, with
// the checks that it leaves to its user. Owned by a session, used for one request after another.
#pragma once

#include <memory>
#include <string_view>

#include "gateway/heads.h"

namespace granary::gateway {

class RequestParser final {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // A new request, whose head goes into `head`, which stays alive until the next one.
  void start(RequestHead& head);
  // `bytes` follow those consumed before, in pieces of any size. Done when the head is complete and
  // well. Bad comes with 400, 405, 414, 417 or 431; nothing more can be read from the connection
  // then.
  Parsed head(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace granary::gateway

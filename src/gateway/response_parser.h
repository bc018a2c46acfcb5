// Reads a silo's answers, strictly: what is not exactly HTTP is a failure of the silo, never passed
// on. Over Beast's parser. Owned by a session, used for one answer after another.
#pragma once

#include <memory>
#include <string_view>

#include "gateway/heads.h"

namespace granary::gateway {

class ResponseParser final {
 public:
  ResponseParser();
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // The answer to a request of this method, into `head`, which stays alive until the next one, as
  // does `domain`: the one that all tenants share, for which none may set cookies.
  void start(ResponseHead& head, Method method, std::string_view domain = {});
  // As in RequestParser; the status of `head` stays 0 until it is Done. An interim answer (1xx) is
  // one of its own: start again after it.
  Parsed head(std::string_view bytes);
  // Which rule a Bad one breaks: one line for who wrote the app.
  std::string_view fault() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace granary::gateway

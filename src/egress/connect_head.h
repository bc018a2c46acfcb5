// The head of a CONNECT request, the only thing that is read of what an app sends: everything
// behind it is passed on unseen. A pure function of the bytes received so far, strict and bounded:
// what is unclear is refused. Not a general HTTP parser.
#pragma once

#include <string>
#include <string_view>

namespace granary::egress {

struct ConnectHead {
  enum class State {
    More,     // the head is not complete yet
    Connect,  // `target` is asked for
    Refused,  // with `status` and `reason`
  };
  State state = State::More;
  std::size_t bytes = 0;    // of the head, with its empty line; what follows is the app's
  std::string_view target;  // as it was written, visible ASCII; into the received bytes
  int status = 0;
  std::string_view reason;  // for people
};

// `received` is everything from the first byte on. Once it says something else than More, more
// bytes do not change it.
ConnectHead parse_connect(std::string_view received);

}  // namespace granary::egress

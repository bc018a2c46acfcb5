// Connecting and sending, with a patience of a second, for the attempts on sockets.
#pragma once

#include <cstdint>
#include <string>

#include "walls/attempt.h"

namespace granary::walls {

// --- the internet's protocols; `address` is a number, of either family
// A port of this machine: held if nobody is there to be reached.
Answer reach_local(const std::string& address, std::uint16_t port);
// Anybody else: held only if there is no way out; an answer, a refusal by the other side or silence
// all say that something was sent.
Answer reach_outside(const std::string& address, std::uint16_t port);
Answer send_outside(const std::string& address, std::uint16_t port);

// --- unix sockets; an abstract name begins with '@'
Answer reach_unix(const std::string& name);
// Whether a socket of this kind can be had.
Answer try_socket(const char* what, int family, int type, int protocol);

}  // namespace granary::walls

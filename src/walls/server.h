// The attack program as an app: it answers on the listener that it inherited, each connection in a
// process of its own. README.md lists the requests. Runs until killed.
#pragma once

namespace granary::walls {

// Returns the exit code when the listener cannot be used.
int serve(int listener);

}  // namespace granary::walls

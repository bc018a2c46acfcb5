// Asking a person at a terminal for what must not be seen on it. Blocking.
#pragma once

#include <string>

#include "base/result.h"

namespace granary::base::os {

// One line that is typed at the terminal behind this descriptor, without showing it and without
// its end. The terminal is as it was afterwards, also after Ctrl-C. Errors: Cancelled (Ctrl-C),
// NotSupported (no terminal), Exhausted (more than 4,094 bytes: terminals take no longer lines).
Result<std::string> read_hidden_line(int terminal);

}  // namespace granary::base::os

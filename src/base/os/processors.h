// How many processors this machine has for us.
#pragma once

namespace granary::base::os {

unsigned processors();  // at least 1

}  // namespace granary::base::os

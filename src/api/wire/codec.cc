#include "api/wire/codec.h"

namespace granary::api_wire {}  // namespace granary::api_wire

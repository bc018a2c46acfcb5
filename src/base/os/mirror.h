// One file made equal to another, block by block, holes as holes. Blocking.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"

namespace granary::base::os {

// Lets `to`, which is empty, share all blocks of `from`, at once, whatever its size (FICLONE).
// False where their file system cannot.
Result<bool> share_blocks(int from, int to);

struct Mirrored {
  std::uint64_t compared = 0;  // bytes
  std::uint64_t written = 0;
};
// Reads both and writes only what differs: the first time it copies, the next time it is as fast as
// memory is, as long as both are cached. `from` may be written to meanwhile; then the result is of
// no one moment, and the next time mends it. `pulse` is called every megabyte; an error of it ends
// the work.
Result<Mirrored> mirror_file(int from, int to, const std::function<Result<void>()>& pulse);

}  // namespace granary::base::os

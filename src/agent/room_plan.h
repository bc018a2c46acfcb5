// How much of its own disk each running account may still fill, so that all together they cannot
// fill the machine's. Disk images are sparse: what a guest has accepted needs room of the machine
// later, and is lost if there is none. Pure. docs/decisions/0024 says why.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wire/room.h"

namespace granary::agent {

// All in bytes.
struct GuestRoom {
  std::uint64_t used = 0;     // of the guest's file system, the ballast included
  std::uint64_t free = 0;     // what its apps may still write
  std::uint64_t ballast = 0;  // taken by us, so that they may not
  std::uint64_t held = 0;     // by the image, on the machine's disk

  // What the image holds although the guest uses it no more.
  std::uint64_t deleted() const {
    const std::uint64_t in_use = used - std::min(used, ballast);
    return held - std::min(held, in_use);
  }
};

enum class RoomState { Enough, Scarce, Full };

struct RoomPlan {
  RoomState state = RoomState::Enough;
  std::uint64_t room = 0;  // free on the machine, without what guests have accepted already
  // What each guest's apps may write until the next look.
  std::uint64_t share = 0;
  std::vector<std::uint64_t> ballasts;  // one for each guest, as given
};

// `before`: of the last plan; once full it stays so until the high watermark. Where it is scarce,
// below kRoomNear of that, each guest has an equal share.
RoomPlan plan_room(std::uint64_t free, const wire::Watermarks& marks,
                   const std::vector<GuestRoom>& guests, RoomState before);

}  // namespace granary::agent

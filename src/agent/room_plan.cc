#include "agent/room_plan.h"

#include <algorithm>

#include "agent/limits.h"

namespace granary::agent {
namespace {

std::uint64_t less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

// What the guest has accepted and the image does not hold yet.
std::uint64_t owed(const GuestRoom& guest) {
  return less(less(guest.used, guest.ballast), guest.held);
}

}  // namespace

RoomPlan plan_room(std::uint64_t free, const wire::Watermarks& marks,
                   const std::vector<GuestRoom>& guests, RoomState before) {
  RoomPlan plan{.room = free};
  for (const GuestRoom& guest : guests) plan.room = less(plan.room, owed(guest));
  plan.ballasts.assign(guests.size(), 0);
  const bool full = plan.room < (before == RoomState::Full ? marks.high : marks.low);
  if (!full && plan.room >= kRoomNear * marks.high) return plan;
  plan.state = full ? RoomState::Full : RoomState::Scarce;
  // Down to half of the mark, so that it is passed, and told, in the end.
  if (!full && !guests.empty()) plan.share = less(plan.room, marks.low / 2) / guests.size();
  if (plan.room >= marks.high) plan.share = std::max(plan.share, kLeastShare);
  for (std::size_t i = 0; i < guests.size(); ++i)
    plan.ballasts[i] = less(guests[i].free + guests[i].ballast, plan.share);
  return plan;
}

}  // namespace granary::agent

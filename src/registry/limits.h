// Bounds of the registry.
#pragma once

#include <cstddef>
#include <cstdint>

namespace granary::registry {

inline constexpr std::size_t kMaxDomains = 20;  // of one tenant; each is an entry in the gateway
inline constexpr std::size_t kMaxDiscoveryKeys = 100;  // e-mail domains and addresses of one tenant
inline constexpr std::int64_t kMaxSecrets =
    64;                                        // of one account, and everybody's; files at a start
inline constexpr std::size_t kMaxLabels = 64;  // as Kubernetes' users expect
inline constexpr std::size_t kMaxSettings = 256;  // delivered to every start of the tenant's silo
// A page of list(); the publisher reads the whole fleet in pages of this size.
inline constexpr std::uint32_t kMaxPage = 2'000;
// Accounts that an error names; more make it unreadable.
inline constexpr std::uint32_t kMaxNamedUsers = 5;
// wire::ActivityBoard::kSlots; a test of app holds the two together. Slot 0 is nobody's.
inline constexpr std::int64_t kBoardSlots = 1 << 16;

}  // namespace granary::registry

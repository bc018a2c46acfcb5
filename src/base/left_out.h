// What of a tree of files was not kept when it was packed, and why: counted by its kind, with the
// first few names. An export's result says it to people and to programs. Value type, of bounded
// size.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace granary::base {

enum class LeftOutKind {
  Socket,
  Fifo,
  Device,
  SetIdBits,   // the file is kept, without its set-uid and set-gid bits
  Attributes,  // the file is kept, without attributes that are larger than any disk of ours takes
  OtherUsers,  // the file is kept, without what its access list says of other users
  Unreadable,  // the agent may not read it; only without isolation, and not as root
  TooLong,     // longer than 16 TiB, holes included
};
inline constexpr std::size_t kLeftOutKinds = 8;

struct LeftOut {
  std::array<std::uint64_t, kLeftOutKinds> counts{};
  // Of the first ones: printable ASCII, other bytes in them %XX, the beginning cut where it is
  // long.
  std::vector<std::string> first;

  void add(LeftOutKind kind, std::string_view path);
  std::uint64_t count(LeftOutKind kind) const { return counts[static_cast<std::size_t>(kind)]; }
  bool empty() const;
  bool operator==(const LeftOut&) const = default;
};

inline constexpr std::size_t kLeftOutNames = 5;
inline constexpr std::size_t kLeftOutNameBytes = 160;

// "3 sockets, 1 fifo, set-uid bits of 2 files (first: run/app.sock, run/pipe)"; empty for nothing.
std::string describe(const LeftOut& left_out);

// {"sockets":3,"set_id_bits":2,"first":["run/app.sock"]}: only what there is.
json::object to_json(const LeftOut& left_out);
// Errors: InvalidArgument, naming the member.
Result<LeftOut> left_out_from(const json::object& from);

// Printable ASCII as it is, but for quotes, backslash and %; every other byte as %XX.
std::string percent_escaped(std::string_view bytes);

}  // namespace granary::base

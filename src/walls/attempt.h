// What an attempt to break out of a silo is, and what came of it: plain values that the topics'
// tables are made of and that the runner carries over a pipe. An attempt runs in a process of its
// own, which it may ruin.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace granary::walls {

class Knowledge;

enum class Outcome : std::uint8_t {
  Held,          // the kernel or the platform refused, or nothing foreign was obtained
  Broken,        // it got through
  Inapplicable,  // this machine, or what is known, leaves nothing to attack
};
std::string_view to_string(Outcome outcome);

struct Answer {
  Outcome outcome = Outcome::Broken;
  std::string text;  // what the kernel or the platform said, such as "mount: EPERM"
};

struct Attempt {
  const char* name;
  const char* topic;
  const char* what;  // for people: what is tried
  Answer (*run)(const Knowledge& known);
};

// All of them, topic by topic; null: there is none of that name.
std::span<const Attempt> all_attempts();
const Attempt* find_attempt(std::string_view name);

// The topics' tables; each lies in the source of its name.
std::span<const Attempt> account_attempts();
std::span<const Attempt> path_attempts();
std::span<const Attempt> write_attempts();
std::span<const Attempt> host_attempts();
std::span<const Attempt> device_attempts();
std::span<const Attempt> process_attempts();
std::span<const Attempt> init_attempts();
std::span<const Attempt> socket_attempts();
std::span<const Attempt> door_attempts();
std::span<const Attempt> netlink_attempts();
std::span<const Attempt> namespace_attempts();
std::span<const Attempt> mount_attempts();
std::span<const Attempt> kernel_attempts();
std::span<const Attempt> limit_attempts();
std::span<const Attempt> identity_attempts();
std::span<const Attempt> information_attempts();
std::span<const Attempt> shared_attempts();

}  // namespace granary::walls

// What an attacker may have learnt before it begins: lines "key=value" that a test or `granary
// verify` hands in. Whatever is missing is found out from inside, or replaced by the platform's
// defaults, so that an attempt has something to aim at either way. A value type.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace granary::walls {

// Keys: data_dir, victim, self (account ids), service, victim_uid, victim_pid, agent_pid, (numbers
// of the host), gateway_port, api_port, admin_port, host_address, canary (a file of the host),
// marker (what the victim hides), hostname (the host's), disk (the host's, such as vda),
// host_abstract (the name of an abstract socket of the host), connection (a descriptor whose other
// end is the gateway).
class Knowledge final {
 public:
  Knowledge() = default;
  // Lines that are no "key=value" are left out.
  static Knowledge parse(std::string_view text);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  // "" where it is not known.
  std::string get(std::string_view key) const;
  long number(std::string_view key, long otherwise) const;
  void set(std::string_view key, std::string_view value);
  std::string lines() const;

  // The platform's folder and a path in it. Unless told, mountinfo tells it, as it does to whoever
  // looks: /etc is a folder of the platform.
  std::string data_dir() const;
  std::string data(std::string_view below) const { return data_dir() + std::string(below); }
  // The victim's folder in it.
  std::string victim(std::string_view below) const;
  // Processes of the host outside this silo, and a user of it. Unless told, a number that is none
  // of the silo's own.
  int foreign_pid() const { return static_cast<int>(number("victim_pid", kGuessedPid)); }
  int agent_pid() const { return static_cast<int>(number("agent_pid", kGuessedPid + 1)); }
  unsigned foreign_uid() const { return static_cast<unsigned>(number("victim_uid", 100'001)); }

 private:
  static constexpr long kGuessedPid = 30'011;  // a silo's are small: it has a namespace of its own

  const std::string* find(std::string_view key) const;

  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace granary::walls

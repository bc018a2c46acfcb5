// What a silo is told without asking: names of accounts, what others do, what the host is.
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "information";

// The first of the given words that stands in `text`; "" if none does.
std::string word_in(const std::string& text, const Knowledge& known,
                    std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const std::string word = known.get(key);
    if (!word.empty() && text.find(word) != std::string::npos) return std::string(key) + " " + word;
  }
  return "";
}

Answer names_in_text(const char* where, const std::string& text, const Knowledge& known) {
  const std::string word = word_in(text, known, {"self", "victim", "marker"});
  return word.empty() ? held(std::string(where) + " names nobody")
                      : broken(std::string(where) + " names " + word);
}

Answer names_in_environment(const Knowledge& known) {
  std::string all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all += std::string(*entry) + "\n";
  return names_in_text("the environment", all + read_text("/proc/self/environ"), known);
}

Answer host_name(const Knowledge& known) {
  utsname names{};
  if (::uname(&names) != 0) return refused("uname");
  const std::string name(names.nodename);
  const std::string domain(names.domainname);
  if (known.has("hostname") && name == known.get("hostname"))
    return broken("uname: the host's name, " + name);
  return names_in_text("uname", name + " " + domain, known);
}

Answer names_in_processes(const Knowledge& known) {
  std::string all;
  for (const int pid : visible_pids()) {
    const std::string folder = "/proc/" + std::to_string(pid);
    all += read_text(folder + "/cmdline") + read_text(folder + "/environ") +
           read_text(folder + "/comm");
  }
  return names_in_text("command lines", all, known);
}

// What lies in /run is what the platform put there.
Answer contents_of_run() {
  constexpr std::array<std::string_view, 3> kExpected = {"config.json", "granary-init", "secrets"};
  for (const std::string& name : names_in("/run")) {
    if (std::ranges::find(kExpected, name) == kExpected.end()) return broken("/run holds " + name);
  }
  return held("/run holds the configuration, the secrets and the first program");
}

Answer contents_of_root() {
  constexpr std::array<std::string_view, 14> kExpected = {"app", "bin",   "data", "dev", "etc",
                                                          "lib", "lib64", "proc", "run", "sbin",
                                                          "sys", "tmp",   "usr",  "var"};
  for (const std::string& name : names_in("/")) {
    if (std::ranges::find(kExpected, name) == kExpected.end()) return broken("/ holds " + name);
  }
  return held("/ holds what a silo needs");
}

// The loop device below /data, such as "loop3".
std::string own_disk() {
  for (const std::string& line : lines_of(read_text("/proc/self/mounts"))) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() > 1 && words[1] == "/data") return words[0].substr(words[0].rfind('/') + 1);
  }
  return "";
}

// Loop devices that something happens on, other than the own one.
Answer activity_of_disks() {
  const std::string own = own_disk();
  for (const std::string& line : lines_of(read_text("/proc/diskstats"))) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 8 || !words[2].starts_with("loop") || words[2] == own) continue;
    if (words[3] != "0")
      return broken("/proc/diskstats counts " + words[2] + ", which is another's");
  }
  return held("/proc/diskstats shows no other's disk");
}

Answer sizes_of_disks() {
  const std::string own = own_disk();
  for (const std::string& line : lines_of(read_text("/proc/partitions"))) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() == 4 && number_of(words[2]) > 0 && words[3] != own)
      return broken("/proc/partitions tells the size of " + words[3]);
  }
  return held("/proc/partitions shows no other's disk");
}

Answer fill_of_disks(const std::string& folder) {
  const std::string own = own_disk();
  for (const std::string& name : names_in(folder)) {
    if (!own.empty() && (name == own || name.starts_with(own + "-"))) continue;
    std::string disk = folder;
    disk.append("/").append(name).append("/");
    for (const std::string& file : names_in(disk)) {
      std::string path = disk;
      path += file;
      if (!read_text(path, 64).empty()) return broken("read " + path);
    }
  }
  return held(folder + " shows no other's disk");
}

Answer locks_of_others() {
  for (const std::string& line : lines_of(read_text("/proc/locks"))) {
    const std::vector<std::string> words = words_of(line);
    const std::size_t at = words.size() > 1 && words[1] == "->" ? 5 : 4;
    if (words.size() <= at) continue;
    struct stat status{};
    const std::string holder = "/proc/" + words[at];
    if (::stat(holder.c_str(), &status) != 0 || status.st_uid != ::geteuid())
      return broken("/proc/locks shows " + line);
  }
  return held("/proc/locks shows no other's");
}

Answer keys_of_others() {
  for (const std::string& line : lines_of(read_text("/proc/keys"))) {
    const std::vector<std::string> words = words_of(line);
    // ID FLAGS USAGE TIMEOUT PERM UID GID TYPE DESCRIPTION
    if (words.size() > 7 && words[5] != std::to_string(::getuid()))
      return broken("/proc/keys shows " + words[7] + " of user " + words[5]);
  }
  return held("/proc/keys shows no other's");
}

Answer sockets_of_others(const Knowledge& known) {
  const std::string text = read_text("/proc/net/unix");
  if (text.find("/run/silo/") != std::string::npos || text.find("agent.sock") != std::string::npos)
    return broken("/proc/net/unix shows the platform's sockets");
  return names_in_text("/proc/net/unix", text, known);
}

Answer other_interfaces_in_proc() {
  std::size_t lines = 0;
  for (const std::string& line : lines_of(read_text("/proc/net/dev"))) {
    if (line.find(':') == std::string::npos) continue;
    if (words_of(line)[0] != "lo:") return broken("/proc/net/dev shows " + words_of(line)[0]);
    ++lines;
  }
  return held("/proc/net/dev shows " + std::to_string(lines) + " interface");
}

// Everything in one folder, as text, searched for what only the victim knows.
Answer search(const char* folder, const Knowledge& known) {
  std::string all;
  for (const std::string& name : names_in(folder)) {
    const std::string path = std::string(folder) + "/" + name;
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode))
      all += read_text(path, 65536);
  }
  const std::string word = word_in(all, known, {"victim", "marker"});
  return word.empty() ? held(std::string(folder) + " tells nothing of the other account")
                      : broken(std::string(folder) + " tells " + word);
}

// Blocks of files that were deleted, of whoever had the disk before.
Answer unwritten_blocks(const Knowledge& known) {
  constexpr const char* kFile = "/data/granary-attack-hole";
  if (::truncate(kFile, 0) != 0 && write_text(kFile, "") != 0) return refused("create");
  if (::truncate(kFile, 4 << 20) != 0) return refused("truncate");
  const std::string text = read_text(kFile, 4 << 20);
  ::unlink(kFile);
  const bool zeros = text.find_first_not_of('\0') == std::string::npos;
  if (!zeros) return broken("a hole in a file shows what was there before");
  return names_in_text("a hole", text, known);
}

constexpr Attempt kAttempts[] = {
    {"names-environment", kTopic, "find an account's id in the environment",
     [](const Knowledge& known) { return names_in_environment(known); }},
    {"names-host", kTopic, "find the host's name or an account's id in the host name",
     [](const Knowledge& known) { return host_name(known); }},
    {"names-processes", kTopic, "find an account's id in command lines",
     [](const Knowledge& known) { return names_in_processes(known); }},
    {"names-mounts", kTopic, "find an account's id in the list of mounts",
     [](const Knowledge& known) {
       return names_in_text(
           "mountinfo", read_text("/proc/self/mountinfo") + read_text("/proc/1/mountinfo"), known);
     }},
    {"names-config", kTopic, "find an account's id in the configuration",
     [](const Knowledge& known) {
       return names_in_text("/run/config.json", read_text("/run/config.json"), known);
     }},
    {"names-etc", kTopic, "find the other account in /etc",
     [](const Knowledge& known) { return search("/etc", known); }},
    {"names-app", kTopic, "find the other account's data in the release",
     [](const Knowledge& known) { return search("/app", known); }},
    {"names-tmp", kTopic, "find the other account's data in /tmp",
     [](const Knowledge& known) { return search("/tmp", known); }},
    {"names-var-tmp", kTopic, "find the other account's data in /var/tmp",
     [](const Knowledge& known) { return search("/var/tmp", known); }},
    {"names-shared-memory", kTopic, "find the other account's data in shared memory",
     [](const Knowledge& known) { return search("/dev/shm", known); }},
    {"contents-run", kTopic, "find more in /run than was meant",
     [](const Knowledge&) { return contents_of_run(); }},
    {"contents-root", kTopic, "find more in / than was meant",
     [](const Knowledge&) { return contents_of_root(); }},
    {"disks-activity", kTopic, "watch what other accounts read and write",
     [](const Knowledge&) { return activity_of_disks(); }},
    {"disks-sizes", kTopic, "learn how large other disks are",
     [](const Knowledge&) { return sizes_of_disks(); }},
    {"disks-fill", kTopic, "learn how full other accounts' disks are",
     [](const Knowledge&) { return fill_of_disks("/proc/fs/ext4"); }},
    {"disks-journals", kTopic, "learn how busy other accounts' disks are",
     [](const Knowledge&) { return fill_of_disks("/proc/fs/jbd2"); }},
    {"others-locks", kTopic, "see locks that others hold",
     [](const Knowledge&) { return locks_of_others(); }},
    {"others-keys", kTopic, "see keys that others keep in the kernel",
     [](const Knowledge&) { return keys_of_others(); }},
    {"others-sockets", kTopic, "see sockets of others",
     [](const Knowledge& known) { return sockets_of_others(known); }},
    {"others-interfaces", kTopic, "see the host's network interfaces",
     [](const Knowledge&) { return other_interfaces_in_proc(); }},
    {"deleted-blocks", kTopic, "read what was on the disk before",
     [](const Knowledge& known) { return unwritten_blocks(known); }},
};

}  // namespace

std::span<const Attempt> information_attempts() { return kAttempts; }

}  // namespace granary::walls

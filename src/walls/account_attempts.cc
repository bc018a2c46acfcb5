// Files of another account and of the platform, each aimed at where it lies on the host.
#include <fcntl.h>

#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "files of others";

std::string service_of(const Knowledge& known) {
  return known.has("service") ? known.get("service") : "attack";
}

// Its name has a number in it that few know.
Answer read_access_log(const Knowledge& known) {
  const std::string folder = known.data("/access");
  const std::vector<std::string> names = names_in(folder);
  if (names.empty()) return refused("list " + folder);
  for (const std::string& name : names)
    if (name.starts_with(known.get("victim") + ".")) return try_read(folder + "/" + name);
  return inapplicable("the victim has no access log");
}

constexpr Attempt kAttempts[] = {
    {"victim-disk-read", kTopic, "read the disk image of another account",
     [](const Knowledge& known) { return try_read(known.victim("/disk.img")); }},
    {"victim-disk-write", kTopic, "open the disk image of another account for writing",
     [](const Knowledge& known) { return try_write(known.victim("/disk.img")); }},
    {"victim-key-read", kTopic, "read the disk key of another account",
     [](const Knowledge& known) { return try_read(known.victim("/disk.key")); }},
    {"victim-record-read", kTopic, "read what the agent keeps about another account",
     [](const Knowledge& known) { return try_read(known.victim("/account.json")); }},
    {"victim-log-read", kTopic, "read the log of another account",
     [](const Knowledge& known) {
       return try_read(known.victim("/logs/" + service_of(known) + ".0"));
     }},
    {"victim-log-write", kTopic, "write into the log of another account",
     [](const Knowledge& known) {
       return try_write(known.victim("/logs/" + service_of(known) + ".0"));
     }},
    {"victim-folder-create", kTopic, "make a file in the folder of another account",
     [](const Knowledge& known) { return try_create(known.victim("/granary-attack")); }},
    {"victim-folder-rename", kTopic, "rename the folder of another account",
     [](const Knowledge& known) {
       const std::string path = known.victim("");
       const std::string aside = path + ".aside";
       if (::rename(path.c_str(), aside.c_str()) != 0) return refused("rename " + path);
       (void)::rename(aside.c_str(), path.c_str());
       return broken("renamed " + path);
     }},
    {"accounts-list", kTopic, "list all accounts",
     [](const Knowledge& known) { return try_list(known.data("/accounts")); }},
    {"silos-list", kTopic, "list all running silos",
     [](const Knowledge& known) { return try_list(known.data("/run/silo")); }},
    {"silo-record-read", kTopic, "read what the agent keeps about another's running silo",
     [](const Knowledge& known) {
       return try_read(
           known.data("/run/silo/" + known.get("victim") + "/" + service_of(known) + ".json"));
     }},
    {"silo-status-write", kTopic, "write into the status file of another's silo",
     [](const Knowledge& known) {
       return try_write(
           known.data("/run/silo/" + known.get("victim") + "/" + service_of(known) + ".status"));
     }},
    {"store-read", kTopic, "read the platform's database",
     [](const Knowledge& known) { return try_read(known.data("/control/granary.db")); }},
    {"store-write", kTopic, "open the platform's database for writing",
     [](const Knowledge& known) { return try_write(known.data("/control/granary.db")); }},
    {"operator-token-read", kTopic, "read the operator's token",
     [](const Knowledge& known) { return try_read(known.data("/control/operator.token")); }},
    {"signing-key-read", kTopic, "read the installation's signing key",
     [](const Knowledge& known) { return try_read(known.data("/control/signing.key")); }},
    {"platform-key-read", kTopic, "read the key that wraps all disk keys",
     [](const Knowledge& known) { return try_read(known.data("/keys/platform.key")); }},
    {"routing-read", kTopic, "read the routing snapshot, which names all tenants",
     [](const Knowledge& known) { return try_read(known.data("/publish/routing.json")); }},
    {"routing-write", kTopic, "put a route into the routing snapshot",
     [](const Knowledge& known) { return try_create(known.data("/publish/routing.json.new")); }},
    {"access-log-read", kTopic, "read the access log of another account",
     [](const Knowledge& known) { return read_access_log(known); }},
    {"activity-board-write", kTopic, "open the activity board, which counts all traffic",
     [](const Knowledge& known) { return try_open(known.data("/run/board"), O_RDWR); }},
    {"bundles-list", kTopic, "list the uploaded releases",
     [](const Knowledge& known) { return try_list(known.data("/bundles")); }},
    {"releases-list", kTopic, "list the unpacked releases",
     [](const Knowledge& known) { return try_list(known.data("/releases")); }},
    {"releases-create", kTopic, "make a file in the release store",
     [](const Knowledge& known) { return try_create(known.data("/releases/granary-attack")); }},
    {"frontends-create", kTopic, "make a file in the frontend store",
     [](const Knowledge& known) { return try_create(known.data("/frontends/granary-attack")); }},
    {"graveyard-list", kTopic, "list what is about to be deleted",
     [](const Knowledge& known) { return try_list(known.data("/graveyard")); }},
    {"data-dir-create", kTopic, "make a file in the platform's folder",
     [](const Knowledge& known) { return try_create(known.data("/granary-attack")); }},
};

}  // namespace

std::span<const Attempt> account_attempts() { return kAttempts; }

}  // namespace granary::walls

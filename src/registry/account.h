// Tenants, environments and their accounts as the control plane knows them: values and the small
// functions that read and change their rows, each within a transaction of the caller's. The one
// place with SQL on these tables. Knows nothing of clouds or operations.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "store/store.h"

namespace granary::registry {

enum class Kind { Tenant, Environment };
// Creating -> Active <-> Suspended -> Offboarding -> (row gone). Creating -> Failed -> Creating
// by a retry. Offboarding begins from any state but itself; called off, it ends in Suspended.
// Active or Suspended -> Restoring, while its data is replaced -> back to what it was.
enum class State { Creating, Active, Suspended, Restoring, Offboarding, Failed };
// What the last check of this deployment said.
enum class Health { Unknown, Well, Failing };

std::string_view to_string(Kind kind);
std::string_view to_string(State state);
std::string_view to_string(Health health);
base::Result<Kind> kind_from(std::string_view name);
base::Result<State> state_from(std::string_view name);
base::Result<Health> health_from(std::string_view name);

// Whether the state machine has this arrow.
bool may_become(State from, State to);
// Nothing of such an account runs or is reached.
bool refuses_traffic(State state);

struct Account {
  base::AccountId id;
  Kind kind = Kind::Tenant;
  std::uint32_t ordinal = 0;
  std::string name;  // public, for people
  std::string plan = "standard";
  std::string cloud = "host";
  State state = State::Creating;
  std::string desired_release;  // hash; empty: none
  std::string actual_release;   // hash; empty: none
  std::uint64_t version = 0;    // of what is desired; grows with every change
  std::string isolation;        // as the cloud last said; empty: not known yet
  Health health = Health::Unknown;
  std::string health_detail;  // why it is failing; empty when well
  std::string damage;         // why its row cannot be read, for people; the rest is unknown then
  std::map<std::string, std::string> settings;  // --set K=V: configuration and flags
  std::map<std::string, std::string> labels;
  std::vector<std::string> domains;    // lower case
  std::vector<std::string> discovery;  // how people find it: domain.h, parse_discovery_key
  // Held at its release, until that time or for good.
  bool pinned = false;
  std::optional<base::WallTime> pinned_until;
  base::WallTime created;
  base::WallTime updated;
  bool operator==(const Account&) const = default;
};

// Takes the next ordinal, inserts the row, its labels and domains. Errors: AlreadyExists (the id
// or one of the domains is taken; it says which), InvalidArgument.
base::Result<Account> insert(store::Transaction& tx, Account account);
// Errors: AlreadyExists.
base::Result<void> check_name_free(store::Transaction& tx, const base::AccountId& id);
// Errors: NotFound, with the nearest advice.
base::Result<Account> get(store::Transaction& tx, const base::AccountId& id);
struct Filter {
  std::string after;  // id; ascending
  std::uint32_t limit = 100;
  std::optional<State> state;
  std::optional<Kind> kind;
};
base::Result<std::vector<Account>> list(store::Transaction& tx, const Filter& filter);
// Of the account that was inserted last, whether it is still there or not; 0: there was none.
base::Result<std::uint32_t> last_ordinal(store::Transaction& tx);
// Number of accounts in each state.
base::Result<std::map<State, std::int64_t>> count_by_state(store::Transaction& tx);

// The durable changes. Each sets `updated`; those that change what is desired of the account (a
// state that refuses traffic where the earlier one did not, and so on) raise `version`.
// Errors: NotFound; Conflict where the state machine has no such arrow.
base::Result<Account> set_state(store::Transaction& tx, const base::AccountId& id, State to,
                                base::WallTime now);
base::Result<Account> set_desired_release(store::Transaction& tx, const base::AccountId& id,
                                          const std::string& hash, base::WallTime now);
struct Details {
  std::optional<std::string> name;
  std::optional<std::string> plan;
  std::map<std::string, std::optional<std::string>> labels;    // nullopt: remove
  std::map<std::string, std::optional<std::string>> settings;  // nullopt: remove
  std::vector<std::string> add_domains;
  std::vector<std::string> remove_domains;
  std::vector<std::string> add_discovery;
  std::vector<std::string> remove_discovery;
};
base::Result<Account> change_details(store::Transaction& tx, const base::AccountId& id,
                                     const Details& details, base::WallTime now);
struct Pin {
  bool pinned = false;
  std::optional<base::WallTime> until;
};
base::Result<Account> set_pin(store::Transaction& tx, const base::AccountId& id, const Pin& pin,
                              base::WallTime now);
bool is_pinned(const Account& account, base::WallTime now);
// Only that something of what is desired changed elsewhere (its plan, a secret).
base::Result<Account> touch(store::Transaction& tx, const base::AccountId& id, base::WallTime now);
base::Result<void> record_actual(store::Transaction& tx, const base::AccountId& id,
                                 const std::string& release_hash, const std::string& isolation,
                                 base::WallTime now);
base::Result<void> record_health(store::Transaction& tx, const base::AccountId& id, Health health,
                                 const std::string& detail, base::WallTime now);
// With its secrets. Unknown: success.
base::Result<void> remove(store::Transaction& tx, const base::AccountId& id);

// The slot of each named service, taken where it has none yet, freed where it is not named.
base::Result<std::map<std::string, std::uint32_t>> assign_slots(
    store::Transaction& tx, const base::AccountId& id, const std::vector<std::string>& services);
base::Result<std::map<std::string, std::uint32_t>> slots_of(store::Transaction& tx,
                                                            const base::AccountId& id);
// Those of all accounts, by account and service: one query for the whole fleet.
using SlotTable = std::map<std::string, std::map<std::string, std::uint32_t>>;
base::Result<SlotTable> all_slots(store::Transaction& tx);
base::Result<std::optional<base::AccountId>> find_by_domain(store::Transaction& tx,
                                                            const std::string& domain);
base::Result<std::optional<base::AccountId>> find_by_discovery(store::Transaction& tx,
                                                               const std::string& key);
// Accounts with this plan, by id, from the one after `after`.
base::Result<std::vector<base::AccountId>> list_by_plan(store::Transaction& tx,
                                                        const std::string& plan,
                                                        const std::string& after,
                                                        std::uint32_t limit);
// What can be done with an account that is in the way of what was asked for, by its state: a
// sentence with the commands.
std::string way_on(const base::AccountId& id, State state);

// What an audit tells of an account: what people set, and its state.
base::json::object audit_document(const Account& account);

// A DNS name for --domain: lower-cased and checked. Errors: InvalidArgument.
base::Result<std::string> parse_domain(std::string_view text);
// A label's or setting's key and value (Kubernetes' syntax for labels). Errors: InvalidArgument.
base::Result<void> check_label(std::string_view name, std::string_view value);

}  // namespace granary::registry

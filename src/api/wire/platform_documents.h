// The API's documents about what spans tenants: the fleet's status, plans, secrets, the audit log,
// drift. See documents.h for what documents are.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace granary::api_wire {

// ---- the fleet

struct UnhealthyDocument {
  std::string id;
  std::string state;
  std::string health;
  std::string detail;
};
BOOST_DESCRIBE_STRUCT(UnhealthyDocument, (), (id, state, health, detail))

struct StatusDocument {
  std::uint64_t accounts = 0;
  std::map<std::string, std::uint64_t> by_state;   // accounts
  std::map<std::string, std::uint64_t> by_health;  // accounts
  std::uint64_t services = 0;
  std::map<std::string, std::uint64_t> by_phase;  // services
  std::uint64_t unhealthy_accounts = 0;
  std::vector<UnhealthyDocument> unhealthy;  // by id; the first ones when there are many
  std::optional<std::string> cloud_problem;  // why services are not all counted
  std::vector<std::string> not_ready;        // roles that are needed and away, a sentence for each
  std::vector<std::string> warnings;         // what will be in the way before long
  std::uint64_t free_bytes = 0;              // on the disk of the data directory
  std::optional<std::string> clock_problem;  // how the clock disagrees with the time that passed
};
BOOST_DESCRIBE_STRUCT(StatusDocument, (),
                      (accounts, by_state, by_health, services, by_phase, unhealthy_accounts,
                       unhealthy, cloud_problem, not_ready, warnings, free_bytes, clock_problem))

// ---- the clock

struct ClockDocument {
  std::string standing;       // agrees, absent (the machine may have been off), ahead, behind
  std::string time;           // that retentions, archives, tokens and pins go by
  std::string wall;           // of the machine's clock
  std::int64_t ahead_ms = 0;  // of the machine's clock; below zero: it is behind
  std::optional<std::string> since;             // they disagree
  std::optional<std::uint64_t> believed_in_ms;  // up-time after which an absence is believed
  std::optional<std::string> problem;           // missing: they agree
  std::optional<std::string> advice;
  // What ends at once if the machine's clock is accepted.
  std::uint64_t retentions = 0;
  std::uint64_t archives = 0;
  std::uint64_t tokens = 0;
  bool operator==(const ClockDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ClockDocument, (),
                      (standing, time, wall, ahead_ms, since, believed_in_ms, problem, advice,
                       retentions, archives, tokens))

// The difference as it was shown: another one is refused.
struct AcceptClockDocument {
  std::int64_t ahead_ms = 0;
};
BOOST_DESCRIBE_STRUCT(AcceptClockDocument, (), (ahead_ms))

// ---- plans

// Of one service, but for the disk, which is the account's. Missing: the plan does not say.
struct PlanLimitsDocument {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint32_t> cpu_millis;  // thousandths of one core
  std::optional<std::uint32_t> processes;
  std::optional<std::uint32_t> in_flight;  // requests at once
  std::optional<std::uint64_t> disk_bytes;
  bool operator==(const PlanLimitsDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(PlanLimitsDocument, (),
                      (memory_bytes, cpu_millis, processes, in_flight, disk_bytes))

struct PlanDocument {
  std::string name;
  PlanLimitsDocument defaults;           // where a manifest says nothing
  PlanLimitsDocument ceilings;           // whatever a manifest says
  std::optional<std::uint64_t> idle_ms;  // no service is awake without requests for longer
  bool egress = true;                    // false: no way out, whatever a manifest says
  std::string price;                     // of one account and month, "49.00 EUR"; empty: none
  std::uint64_t version = 0;
  std::string updated;
  std::uint64_t accounts = 0;  // that have this plan
  bool operator==(const PlanDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(PlanDocument, (),
                      (name, defaults, ceilings, idle_ms, egress, price, version, updated,
                       accounts))

struct PlanList {
  std::vector<PlanDocument> items;  // by name; never more than one page
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(PlanList, (), (items, next))

// All of a plan: what is missing is not limited.
struct PutPlanDocument {
  std::optional<PlanLimitsDocument> defaults;
  std::optional<PlanLimitsDocument> ceilings;
  std::optional<std::uint64_t> idle_ms;
  std::optional<bool> egress;  // default: true
  std::optional<std::string> price;
};
BOOST_DESCRIBE_STRUCT(PutPlanDocument, (), (defaults, ceilings, idle_ms, egress, price))

// ---- secrets

// Never with its value: nobody can read that again.
struct SecretDocument {
  std::string name;
  std::optional<std::string> tenant;  // missing: every tenant's
  std::string updated;
  std::string actor;
  bool operator==(const SecretDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(SecretDocument, (), (name, tenant, updated, actor))

struct SecretList {
  std::vector<SecretDocument> items;  // by name; every tenant's before a tenant's own
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(SecretList, (), (items, next))

struct SetSecretDocument {
  std::string value;
  std::optional<std::string> tenant;  // missing: every tenant's
};
BOOST_DESCRIBE_STRUCT(SetSecretDocument, (), (value, tenant))

// ---- audit

struct AuditEntryDocument {
  std::int64_t number = 0;
  std::string at;
  std::string actor;
  std::string action;
  std::string subject;
  base::json::object before;  // the members that changed, as they were
  base::json::object after;   // and as they are
  std::string hash;
  std::string previous;  // hash of the entry before
  bool operator==(const AuditEntryDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(AuditEntryDocument, (),
                      (number, at, actor, action, subject, before, after, hash, previous))

struct AuditList {
  std::vector<AuditEntryDocument> items;  // oldest first
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(AuditList, (), (items, next))

// The end of the log: what to keep elsewhere, so that nothing can be cut off unnoticed.
struct AuditHeadDocument {
  std::int64_t number = 0;  // 0: there is no entry
  std::string hash;
  bool operator==(const AuditHeadDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(AuditHeadDocument, (), (number, hash))

struct AuditCheckDocument {
  std::int64_t entries = 0;            // that were read and hold
  AuditHeadDocument head;              // the last of them
  std::optional<std::string> problem;  // the first one found; missing: the log is whole
  bool operator==(const AuditCheckDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(AuditCheckDocument, (), (entries, head, problem))

// ---- drift

struct DriftItemDocument {
  std::string account;
  std::string cloud;
  std::string kind;    // outdated, missing, orphan, damaged
  std::string detail;  // what is, and what should be
  std::string advice;
  bool operator==(const DriftItemDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(DriftItemDocument, (), (account, cloud, kind, detail, advice))

struct DriftDocument {
  std::uint64_t compared = 0;            // accounts, in the registry or in a cloud
  std::uint64_t under_way = 0;           // of these not judged: an operation changes them now
  std::vector<DriftItemDocument> items;  // by account
  bool operator==(const DriftDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(DriftDocument, (), (compared, under_way, items))

// What loses nothing is always mended; these are the accounts whose loss is accepted.
struct RepairDocument {
  std::vector<std::string> recreate;  // missing, damaged ones: made anew, with an empty disk
  std::vector<std::string> destroy;   // orphans: with all their data
};
BOOST_DESCRIBE_STRUCT(RepairDocument, (), (recreate, destroy))

}  // namespace granary::api_wire

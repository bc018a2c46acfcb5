// The on-disk tree under the data directory, drawn once. Every role builds its paths here and
// nowhere else, from parts that were parsed (ids, service names), never from outside text.
//
//   DATA/                         0711 root
//     control/                    0700 control: granary.db, operator.token, signing.key,
//                                 sealing.key (of secrets in the store)
//     bundles/HASH.tar.zst        0711 control writes, agent reads
//     frontends/HASH/             0711 control writes, gateway reads: index.json, blobs/
//     transfers/NAME              0700 control: data on its way to or from an account's disk; the
//                                 agent writes and reads them as root
//     archives/NAME.tar           0700 control: exports of tenants, whole
//     publish/routing.json        0755 control writes, gateway reads
//     publish/egress.json         the egress policy; control writes, egress reads
//     releases/HASH/              0711 root; the unpacked release, what /app shows
//     accounts/ACCOUNT/           0700 root: account.json, disk.img, disk.key, logs/SERVICE.{0,1},
//                                 secrets.VERSION.sealed of the version in account.json; while
//                                 data moves: export.img, disk.img.import
//     keys/platform.key           0700 root; wraps each account's disk.key, seals its secrets
//     graveyard/                  0700 root: trees on their way to deletion
//     access/                     0700 gateway: ACCOUNT.ORDINAL.log, the same with .1
//     egress/                     0700 egress: ACCOUNT.ORDINAL.log, the same with .1, usage.json
//     run/                        0711 root; not kept across a reboot
//       board                     the activity board
//       agent.sock                the agent's protocol
//       egress/egress.sock        0711 egress; shown as /run/egress in silos that declare egress
//       silo/ACCOUNT/SERVICE.sock 0711 root; the socket 0660, group gateway
//       silo/ACCOUNT/SERVICE.json what the agent must know to adopt a running silo
//       silo/ACCOUNT/SERVICE.status  written by granary-init
//       silo/ACCOUNT/SERVICE.failures  why and how often in a row it failed: what the next agent
//                                 must know to go on with its back-off
//       silo/ACCOUNT/SERVICE.secrets/  0700 the account: files; only where there is no sandbox
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace granary::wire {

class Paths final {
 public:
  // `data_dir` is absolute, without a slash at its end.
  explicit Paths(std::string data_dir);

  const std::string& data() const { return data_; }
  std::string control() const { return data_ + "/control"; }
  std::string database() const { return control() + "/granary.db"; }
  std::string operator_token() const { return control() + "/operator.token"; }
  std::string signing_key() const { return control() + "/signing.key"; }
  std::string sealing_key() const { return control() + "/sealing.key"; }
  std::string bundles() const { return data_ + "/bundles"; }
  std::string bundle(const std::string& hash) const;
  std::string frontends() const { return data_ + "/frontends"; }
  std::string frontend(const std::string& hash) const;
  std::string transfers() const { return data_ + "/transfers"; }
  std::string transfer(const std::string& name) const;  // a ULID
  std::string archives() const { return data_ + "/archives"; }
  std::string archive(const std::string& name) const;  // a ULID
  std::string publish() const { return data_ + "/publish"; }
  std::string routing() const { return publish() + "/routing.json"; }
  std::string egress_policy() const { return publish() + "/egress.json"; }
  std::string releases() const { return data_ + "/releases"; }
  std::string release(const std::string& hash) const;
  std::string accounts() const { return data_ + "/accounts"; }
  std::string account(const base::AccountId& account) const;
  std::string account_file(const base::AccountId& account) const;
  // Of the account's desired state at this version.
  std::string secrets(const base::AccountId& account, std::uint64_t version) const;
  std::string disk(const base::AccountId& account) const;
  std::string disk_export(const base::AccountId& account) const;
  std::string disk_import(const base::AccountId& account) const;
  std::string disk_key(const base::AccountId& account) const;
  std::string keys() const { return data_ + "/keys"; }
  std::string platform_key() const { return keys() + "/platform.key"; }
  std::string logs(const base::AccountId& account) const;
  // `half` is 0 or 1: the two files of the ring.
  std::string log(const base::ServiceId& service, int half) const;
  std::string graveyard() const { return data_ + "/graveyard"; }
  std::string access() const { return data_ + "/access"; }
  // With the ordinal: a later account of this name has a file of its own.
  std::string access_log(const base::AccountId& account, std::uint32_t ordinal) const;
  std::string egress() const { return data_ + "/egress"; }
  std::string egress_log(const base::AccountId& account, std::uint32_t ordinal) const;
  std::string egress_usage() const { return egress() + "/usage.json"; }
  std::string run() const { return data_ + "/run"; }
  std::string board() const { return run() + "/board"; }
  std::string agent_socket() const { return run() + "/agent.sock"; }
  std::string egress_run() const { return run() + "/egress"; }
  std::string egress_socket() const { return egress_run() + "/egress.sock"; }
  std::string silos() const { return run() + "/silo"; }
  std::string silo(const base::AccountId& account) const;
  std::string socket(const base::ServiceId& service) const;
  std::string silo_record(const base::ServiceId& service) const;
  std::string silo_status(const base::ServiceId& service) const;
  std::string silo_failures(const base::ServiceId& service) const;
  std::string silo_secrets(const base::ServiceId& service) const;

 private:
  std::string data_;
};

}  // namespace granary::wire

#include "wire/paths.h"

#include "base/check.h"

namespace granary::wire {
namespace {

// Parts come from parsed ids; one that could climb out of its folder is a bug of ours.
std::string part(const std::string& text) {
  INVARIANT(!text.empty() && text != "." && text != "..");
  INVARIANT(text.find('/') == std::string::npos && text.find('\0') == std::string::npos);
  return text;
}

}  // namespace

Paths::Paths(std::string data_dir) : data_(std::move(data_dir)) {
  INVARIANT(data_.size() > 1 && data_.front() == '/' && data_.back() != '/');
}

std::string Paths::bundle(const std::string& hash) const {
  return bundles() + "/" + part(hash) + ".tar.zst";
}
std::string Paths::transfer(const std::string& name) const {
  return transfers() + "/" + part(name);
}
std::string Paths::archive(const std::string& name) const {
  return archives() + "/" + part(name) + ".tar";
}
std::string Paths::frontend(const std::string& hash) const {
  return frontends() + "/" + part(hash);
}
std::string Paths::release(const std::string& hash) const { return releases() + "/" + part(hash); }
std::string Paths::account(const base::AccountId& account) const {
  return accounts() + "/" + part(account.value);
}
std::string Paths::account_file(const base::AccountId& id) const {
  return account(id) + "/account.json";
}
std::string Paths::secrets(const base::AccountId& id, std::uint64_t version) const {
  return fmt::format("{}/secrets.{}.sealed", account(id), version);
}
std::string Paths::disk(const base::AccountId& id) const { return account(id) + "/disk.img"; }
std::string Paths::disk_export(const base::AccountId& id) const {
  return account(id) + "/export.img";
}
std::string Paths::disk_import(const base::AccountId& id) const { return disk(id) + ".import"; }
std::string Paths::disk_key(const base::AccountId& id) const { return account(id) + "/disk.key"; }
std::string Paths::logs(const base::AccountId& id) const { return account(id) + "/logs"; }
std::string Paths::log(const base::ServiceId& service, int half) const {
  INVARIANT(half == 0 || half == 1);
  return logs(service.account) + "/" + part(service.service) + (half == 0 ? ".0" : ".1");
}
std::string Paths::access_log(const base::AccountId& id, std::uint32_t ordinal) const {
  return fmt::format("{}/{}.{}.log", access(), part(id.value), ordinal);
}
std::string Paths::egress_log(const base::AccountId& id, std::uint32_t ordinal) const {
  return fmt::format("{}/{}.{}.log", egress(), part(id.value), ordinal);
}
std::string Paths::silo(const base::AccountId& account) const {
  return silos() + "/" + part(account.value);
}
std::string Paths::socket(const base::ServiceId& id) const {
  return silo(id.account) + "/" + part(id.service) + ".sock";
}
std::string Paths::silo_record(const base::ServiceId& id) const {
  return silo(id.account) + "/" + part(id.service) + ".json";
}
std::string Paths::silo_failures(const base::ServiceId& id) const {
  return silo(id.account) + "/" + part(id.service) + ".failures";
}
std::string Paths::silo_secrets(const base::ServiceId& id) const {
  return silo(id.account) + "/" + part(id.service) + ".secrets";
}
std::string Paths::silo_status(const base::ServiceId& id) const {
  return silo(id.account) + "/" + part(id.service) + ".status";
}

}  // namespace granary::wire

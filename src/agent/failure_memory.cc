#include "agent/failure_memory.h"

#include "agent/limits.h"
#include "base/json.h"
#include "base/log.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "wire/members.h"

namespace granary::agent {

using base::Result;
using base::ServiceId;

namespace {

constexpr std::string_view kEnding = ".failures";

base::json::object to_json(const Failures& failures) {
  base::json::object document;
  document["boot_id"] = base::os::boot_id();
  document["release"] = failures.release_hash;
  document["crashes"] = failures.crashes;
  document["retry_at_ns"] = failures.retry_at.count();
  document["last_failure"] = failures.last_failure;
  return document;
}

Result<Failures> read(const std::string& path, const ServiceId& service) {
  TRY_ASSIGN(const std::string text, base::os::read_file(path, kMaxRecordFile));
  TRY_ASSIGN(const auto document, base::json::parse_object(text, kMaxRecordFile));
  constexpr std::uint64_t kMostNanoseconds = std::numeric_limits<std::int64_t>::max();
  wire::Members members(document);
  Failures failures;
  failures.service = service;
  const std::string boot_id = members.text("boot_id");
  failures.release_hash = members.text("release");
  failures.crashes = members.number<std::uint32_t>("crashes");
  failures.retry_at = base::BootTime(
      static_cast<std::int64_t>(members.number<std::uint64_t>("retry_at_ns", kMostNanoseconds)));
  failures.last_failure = members.text("last_failure");
  TRY(members.finish());
  if (boot_id != base::os::boot_id())
    return base::fail(base::Code::NotFound, "it is of an earlier boot");
  return failures;
}

}  // namespace

Result<void> FailureMemory::save(const Failures& failures) const {
  TRY(base::os::make_folders(paths_.silo(failures.service.account), 0711));
  return base::os::replace_file(paths_.silo_failures(failures.service),
                                base::json::print(to_json(failures)), 0600,
                                base::os::Durability::Cached);
}

Result<void> FailureMemory::forget(const ServiceId& service) const {
  return base::os::remove_file(paths_.silo_failures(service));
}

std::vector<Failures> FailureMemory::load_all() const {
  std::vector<Failures> all;
  for (const std::string& account :
       base::os::list_folder(paths_.silos()).value_or(std::vector<std::string>())) {
    const base::AccountId id(account);
    for (const std::string& name :
         base::os::list_folder(paths_.silo(id)).value_or(std::vector<std::string>())) {
      if (!name.ends_with(kEnding)) continue;
      const ServiceId service{id, name.substr(0, name.size() - kEnding.size())};
      auto failures = read(paths_.silo_failures(service), service);
      if (failures) {
        all.push_back(std::move(*failures));
        continue;
      }
      if (failures.error().code != base::Code::NotFound)
        base::log::warn("the failures of {} are forgotten: {}", to_string(service),
                        describe(failures.error()));
      (void)forget(service);  // a file that is left says no more the next time
    }
  }
  return all;
}

}  // namespace granary::agent

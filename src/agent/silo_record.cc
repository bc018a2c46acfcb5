#include "agent/silo_record.h"

#include "wire/members.h"

namespace granary::agent {

base::json::object to_json(const SiloRecord& record) {
  base::json::object document;
  document["pid"] = record.init.pid;
  document["started"] = record.init.started;
  document["monitor_pid"] = record.monitor.pid;
  document["monitor_started"] = record.monitor.started;
  document["boot_id"] = record.boot_id;
  document["epoch"] = record.epoch;
  document["fingerprint"] = record.fingerprint;
  document["log_cursor"] = record.log_cursor;
  return document;
}

base::Result<SiloRecord> silo_record_from(const base::json::object& from) {
  constexpr std::uint64_t kMaxTicks = std::numeric_limits<std::int64_t>::max();
  wire::Members members(from);
  SiloRecord record;
  record.init = {members.number<pid_t>("pid"), members.number<std::uint64_t>("started", kMaxTicks)};
  record.monitor = {members.number<pid_t>("monitor_pid"),
                    members.number<std::uint64_t>("monitor_started", kMaxTicks)};
  record.boot_id = members.text("boot_id");
  record.epoch = members.number<std::uint32_t>("epoch");
  record.fingerprint = members.text("fingerprint");
  constexpr std::uint64_t kMostCursor = std::numeric_limits<std::int64_t>::max();
  // Silos of earlier versions of Granary are adopted as well.
  record.log_cursor = members.number_or<std::uint64_t>("log_cursor", 0, kMostCursor);
  TRY(members.finish());
  return record;
}

}  // namespace granary::agent

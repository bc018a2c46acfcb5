#include "wire/data_export.h"

#include "wire/members.h"

namespace granary::wire {
namespace {

constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int64_t>::max();

}  // namespace

base::json::object to_json(const DataExport& written) {
  base::json::object document;
  document["bytes"] = written.bytes;
  document["sha256"] = written.sha256;
  document["files"] = written.files;
  document["data_bytes"] = written.data_bytes;
  document["paused_us"] = written.paused.count();
  document["left_out"] = to_json(written.left_out);
  return document;
}

base::Result<DataExport> data_export_from(const base::json::object& from) {
  Members members(from);
  DataExport written;
  written.bytes = members.number<std::uint64_t>("bytes", kNumberMax);
  written.sha256 = members.text("sha256");
  written.files = members.number<std::uint64_t>("files", kNumberMax);
  written.data_bytes = members.number<std::uint64_t>("data_bytes", kNumberMax);
  written.paused = std::chrono::microseconds(members.number<std::int64_t>("paused_us"));
  written.left_out = members.take(base::left_out_from(members.child("left_out")));
  TRY(members.finish());
  return written;
}

}  // namespace granary::wire

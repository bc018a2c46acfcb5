#include <unistd.h>

#include "base/check.h"
#include "base/os/file.h"
#include "wire/data_archive.h"
#include "wire/testing/bundle_builder.h"
#include "wire/testing/data_folder.h"
#include "wire/testing/fuzz_targets.h"

namespace granary::wire::testing {
namespace {

using base::Code;

constexpr DataLimits kLimits{.total_bytes = 1U << 20, .entries = 200};

// A refusal says what is wrong, for a log: no endless text, nothing that forges another line.
void check_refusal(const base::Error& refused) {
  ASSERT(!refused.message.empty() && refused.message.size() < 1'000);
  ASSERT(refused.message.find('\n') == std::string::npos);
  ASSERT(refused.code == Code::InvalidArgument || refused.code == Code::Exhausted);
}

void check_repacked(const DataFolder& world, const DataTotals& expected) {
  const auto packed = pack_data(world.in("target"), world.in("again"), {});
  ASSERT(packed.has_value());
  const auto again = check_data(world.in("again"), {});
  ASSERT(again && again->totals == packed->totals);
  ASSERT(again->totals.files == expected.files && again->totals.folders == expected.folders &&
         again->totals.links == expected.links);
}

}  // namespace

Verdict fuzz_data_archive(std::span<const std::uint8_t> bytes) {
  const DataFolder world;
  world.folder("target");
  const std::string archive = world.in("archive");
  const std::string frame =
      in_zstd_frame({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  ASSERT(base::os::replace_file(archive, frame, 0600, base::os::Durability::Cached).has_value());
  const auto checked = check_data(archive, kLimits);
  const auto unpacked = unpack_data(archive, world.in("target"),
                                    {.limits = kLimits, .uid = ::geteuid(), .gid = ::getegid()});
  ASSERT(checked.has_value() == unpacked.has_value());
  ASSERT(base::os::list_folder(world.path()).value().size() == 2);
  if (!checked) {
    check_refusal(checked.error());
    return Verdict::Refused;
  }
  ASSERT(checked->totals == unpacked->totals);
  check_repacked(world, checked->totals);
  return Verdict::Taken;
}

}  // namespace granary::wire::testing

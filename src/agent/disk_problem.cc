#include "agent/disk_problem.h"

namespace granary::agent {

std::string problem_of(const base::Result<DiskUse>& use, std::uint64_t promised) {
  constexpr std::uint64_t kBlock = 4096;  // images are whole blocks
  if (!use)
    return use.error().code == base::Code::NotFound ? "its disk is gone" : use.error().message;
  if (use->locked) return "the key of its encrypted disk is gone: nobody can read it";
  if (use->quota_bytes == 0 || use->quota_bytes >= promised / kBlock * kBlock) return "";
  return fmt::format("its disk ends after {} of {} bytes", use->quota_bytes, promised);
}

}  // namespace granary::agent

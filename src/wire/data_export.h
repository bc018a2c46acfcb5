// What the agent's verb `export` answers: the file that holds an account's data. Value type.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/left_out.h"
#include "base/result.h"

namespace granary::wire {

struct DataExport {
  std::uint64_t bytes = 0;              // of the file
  std::string sha256;                   // of the file, 64 hex digits
  std::uint64_t files = 0;              // regular files that it holds
  std::uint64_t data_bytes = 0;         // of their contents
  std::chrono::microseconds paused{0};  // how long writes to the disk were held back
  base::LeftOut left_out;
  bool operator==(const DataExport&) const = default;
};

base::json::object to_json(const DataExport& written);
// Errors: InvalidArgument naming the member.
base::Result<DataExport> data_export_from(const base::json::object& from);

}  // namespace granary::wire

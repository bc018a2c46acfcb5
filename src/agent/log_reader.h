// Reads the logs that granary-init writes (init/README.md): a ring of two files, each beginning
// with its number. Blocking; stateless; goes on reading while the ring turns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "wire/paths.h"

namespace granary::agent {

struct LogLines {
  std::vector<std::string> lines;  // whole ones; a line that was split is joined again
  // Where to go on: file number * 2^32 + offset. 0 is the beginning of what there still is.
  std::uint64_t cursor = 0;
};

// Lines after `cursor`, at most about kMaxLogChunk bytes. A cursor whose file is gone goes on
// with the oldest that is left. Errors: of the system; a service without a log has no lines.
base::Result<LogLines> read_log(const wire::Paths& paths, const base::ServiceId& service,
                                std::uint64_t cursor);

// What the first file of a log begins with.
std::string first_log_head();

// Which of the log's two files is being written to; nothing where there is no log.
std::optional<int> newer_half(const wire::Paths& paths, const base::ServiceId& service);

// Where the log ends now: a life that begins now says what comes behind it. 0: there is none.
std::uint64_t log_end(const wire::Paths& paths, const base::ServiceId& service);

// Whose lines are quoted: the app's own, or also those that granary-init wrote about it.
enum class Speaker { App, AppAndInit };
// The last few lines behind `since`, for explaining how a life ended.
std::string last_words(const wire::Paths& paths, const base::ServiceId& service,
                       std::uint64_t since, Speaker speaker);

}  // namespace granary::agent

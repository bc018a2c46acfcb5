// Archives between a file on this machine and the API: sent and fetched with progress, whole or
// not at all.
#pragma once

#include <string>

#include "api/wire/archive_documents.h"
#include "cli/session.h"

namespace granary::cli {

// Whether a file that is there may be written over.
enum class Overwrite { No, Yes };
// That the archive may become this file: to be asked before it is made. Errors: InvalidArgument
// (no file's name), AlreadyExists, NotFound (no such folder).
base::Result<void> check_target(const std::string& path, Overwrite overwrite);
// Into the file, by way of FILE.part; mode 0600, since it is all of a customer's data. Errors:
// those of check_target() and of the API; DataLoss (what came is not what was made).
base::Result<void> fetch_archive(Session& session, const api_wire::ArchiveDocument& archive,
                                 const std::string& path, Overwrite overwrite);
// Errors: NotFound (no such file), and those of the API.
base::Result<api_wire::ArchiveDocument> send_archive(Session& session, const std::string& path);

}  // namespace granary::cli

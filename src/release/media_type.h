// Which Content-Type a frontend's file is delivered with, decided by the ending of its name, and
// whether compressing that type is worth a try. Pure functions; any thread.
#pragma once

#include <string_view>

namespace granary::release {

enum class Compressible { No, Yes };

struct MediaType {
  std::string_view content_type;
  Compressible compressible = Compressible::No;
};

// application/octet-stream for an ending that is not known: a browser stores such a file rather
// than guess, and runs nothing.
MediaType media_type(std::string_view file_name);

// Whether the name holds a hash of the contents, as bundlers write it, so that a browser may keep
// the file for ever: app.1f2e3d4c.js, index-BkH3d9aQ.js. Not words or dates of the same length
// (chart-overview.js, report.20260131.csv): taking a name for immutable that is not would keep
// people on an old file.
bool holds_content_hash(std::string_view file_name);

}  // namespace granary::release

// The walk over an app's folder: every entry once, checked, in an order that depends on the names
// alone. Safe against a folder that changes meanwhile: it follows no link and opens only what it
// has checked. Blocking; any thread.
#pragma once

#include <functional>

#include "base/os/folder.h"
#include "base/result.h"
#include "wire/bundle_entry.h"

namespace granary::wire {

// `content` is a file's descriptor, open for reading at its beginning; -1 for the rest.
using TreeVisitor = std::function<base::Result<void>(const BundleEntry& entry, int content)>;

// Whether an entry is left out, of which path and kind are known, and the folder that it lies in;
// what lies in a folder that is left out is never looked at.
using TreeFilter =
    std::function<base::Result<bool>(const base::os::Folder& parent, const BundleEntry& entry)>;
// Leaves nothing out.
base::Result<bool> whole_tree(const base::os::Folder& parent, const BundleEntry& entry);

// Folders come before what is in them; names in the order of their bytes. Stops at the first
// error, its own or the visitor's.
// Errors: InvalidArgument (what a release may not hold), Exhausted (a bound), of the system.
base::Result<void> walk_tree(const base::os::Folder& root, const TreeFilter& leaves_out,
                             const BundleLimits& limits, const TreeVisitor& visitor);

}  // namespace granary::wire

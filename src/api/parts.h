// What the API stands on, as app wires it: the features themselves where they are values and
// engines, narrow interfaces of its own where the way there leads through other rooms.
#pragma once

#include <string>

#include "api/limits.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/signature.h"
#include "base/timer.h"
#include "base/worker.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/time_keeper.h"
#include "operation/engine.h"
#include "registry/archive_row.h"
#include "registry/release_row.h"
#include "store/store.h"

namespace granary::api {

// Makes a release of a bundle that was uploaded.
class ReleaseIntake {
 public:
  virtual ~ReleaseIntake() = default;
  struct Wish {
    std::string name;   // empty: the platform's choice
    std::string actor;  // for the audit
    registry::NewApp new_app = registry::NewApp::Refuse;
    // An archive's release was taken before, perhaps by an earlier version with fewer rules.
    enum class From { Client, Archive } from = From::Client;
  };
  // `bundle_path` is a file of the API's own, which removes it afterwards; nobody has checked it.
  // The same contents again give the release that is there. Errors: InvalidArgument (bundle,
  // manifest, with file and line), Exhausted, AlreadyExists, Conflict (another app than the
  // installation's).
  virtual base::Task<base::Result<registry::Release>> take(std::string bundle_path, Wish wish) = 0;
};

// Checks an archive that was uploaded and puts it where archives lie, so that a tenant can be
// restored from it.
class ArchiveIntake {
 public:
  virtual ~ArchiveIntake() = default;
  // `path` is a file of the API's own, which removes it afterwards if it is still there; nobody has
  // checked it. `actor` is for the audit. Errors: InvalidArgument (no archive, or changed since it
  // was made), Exhausted.
  virtual base::Task<base::Result<registry::Archive>> take(std::string path, std::string actor) = 0;
  // Bytes free on the disk where uploads and archives lie.
  virtual base::Task<base::Result<std::uint64_t>> free_bytes() = 0;
};

// What the clouds say of the accounts they hold, all of them together.
class Fleet {
 public:
  virtual ~Fleet() = default;
  // Accounts in order of their id, from the one after `after`. Errors: Unavailable.
  virtual base::Task<base::Result<cloud::Page>> list(std::string after, std::uint32_t limit) = 0;
};

// Whether the other roles are there, and the machine beneath them.
struct PlatformState {
  std::vector<std::string> not_ready;  // each role that is needed and away: a sentence
  std::vector<std::string> warnings;   // what will be in the way before long, likewise
  std::uint64_t free_bytes = 0;        // on the disk of the data directory
};

class Platform {
 public:
  virtual ~Platform() = default;
  // Asks them all, each for a few seconds at most; what was found a moment ago may be told again.
  virtual base::Task<PlatformState> look() = 0;
  // Resolves when a look finds the cloud's agent away, with a sentence that says so; looks again
  // until it is cancelled.
  virtual base::Task<base::Error> agent_away() = 0;
};

// How clients reach tenants: T is at SCHEME://T.HOST.
struct PublicAddress {
  std::string scheme = "http";
  std::string host = "localhost:8080";  // with the port unless it is the scheme's own
};

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8081;  // 0: any free one
  PublicAddress gateway;
  // For bundles and archives on their way in; made by app, mode 0700, on the file system where they
  // will lie. What an earlier run left there is removed.
  std::string upload_folder;
  // Where archives lie: FOLDER/ID.tar.
  std::string archive_folder;
  std::uint64_t max_archive_bytes = 64ULL << 30;  // of one that is uploaded
  Patience patience;
};

// All must outlive the server. Everything runs on the server's executor, but for `worker`.
struct Parts {
  store::Store& store;
  operation::Engine& engine;
  lifecycle::Lifecycle& lifecycle;
  ReleaseIntake& releases;
  ArchiveIntake& archives;
  Fleet& fleet;
  Platform& platform;
  lifecycle::TimeKeeper& time;
  const base::Clock& clock;  // what `time` looks after
  base::Timer& timer;
  base::Rng& rng;
  base::Worker& worker;  // for files
  const base::SigningKey& signing_key;
};

}  // namespace granary::api

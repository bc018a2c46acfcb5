// The manifest: what an app declares in granary.yaml, checked, with defaults filled in. Value
// types, compared by value, independent of how the file was written. Reading never guesses: an
// unknown key, a wrong type, a value out of bounds is refused with file, line, column and the fix.
// Pure functions; any thread. Not for what a release is beyond its manifest: see release.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace granary::release {

struct ServiceLimits {
  std::uint64_t memory_bytes = 128ULL << 20;
  std::uint32_t cpu_millis = 500;  // thousandths of one core
  std::uint32_t processes = 64;
  std::uint32_t in_flight = 100;  // requests at once
  bool operator==(const ServiceLimits&) const = default;
};

struct Service {
  std::string name;
  std::vector<std::string> command;
  std::uint16_t port = 0;  // 0: the app inherits the listening socket (LISTEN_FDS)
  // "/x" covers /x and what lies below /x/; "/x/" covers what lies below it, "/" everything. The
  // longest wins. No path is covered by two services' routes of equal length.
  std::vector<std::string> routes;
  std::string health;                                                       // path; empty: none
  std::optional<std::chrono::milliseconds> idle = std::chrono::minutes(1);  // nothing: never asleep
  std::chrono::milliseconds start_timeout{10'000};
  std::chrono::milliseconds stop_timeout{10'000};
  ServiceLimits limits;
  std::map<std::string, std::string> env;
  bool operator==(const Service&) const = default;
};

struct Frontend {
  std::string root;      // folder, relative to the release's root
  std::string fallback;  // file, relative to the frontend's root; empty: none
  bool operator==(const Frontend&) const = default;
};

struct Manifest {
  std::string app;
  std::vector<Service> services;  // by name
  std::uint64_t quota_bytes = 0;  // of the account's disk
  std::optional<Frontend> frontend;
  std::vector<std::string> egress;   // "host:port", lower case, sorted, each once
  std::vector<std::string> secrets;  // names of files in SECRETS_DIR, sorted, each once
  bool operator==(const Manifest&) const = default;
};

inline constexpr std::string_view kManifestFile = "granary.yaml";

// `file_name` is how errors call the file.
// Errors: InvalidArgument; NotSupported for keys that are known but not built yet.
base::Result<Manifest> parse_manifest(std::string_view yaml, std::string_view file_name);

// One that an earlier version took may break rules that came later; it is read all the same.
enum class ManifestAge { New, Stored };

// Reads granary.yaml at the root of an app's folder, and checks that the files it names are there.
// Errors: as parse_manifest, of the system.
base::Result<Manifest> load_manifest(const std::string& folder, ManifestAge age = ManifestAge::New);

// {"app", "services": [...], "data": {"quota_bytes"}, "frontend": {"root", "fallback"},
// "egress": [...], "secrets": [...]}; the last three only where there is something to say. A member
// of services is the JSON form of wire::ServiceSpec, but for its slot.
base::json::object to_json(const Manifest& manifest);
base::json::array services_to_json(const Manifest& manifest);
// Of what to_json made. Errors: InvalidArgument naming the member.
base::Result<Manifest> manifest_from_json(const base::json::object& from);

}  // namespace granary::release

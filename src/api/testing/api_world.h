// The API in front of a control plane in simulation, reached as a client does: over a real socket
// on a free port. Time is virtual but for the network's own deadlines: whenever nothing arrives,
// the world moves on to whatever is due next. Single-threaded.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/route.h"
#include "api/server.h"
#include "base/testing/temporary_folder.h"
#include "lifecycle/testing/control_world.h"

namespace granary::api::testing {

// Takes any file of at least one byte; its contents are the release's hash.
class FakeIntake final : public ReleaseIntake {
 public:
  explicit FakeIntake(lifecycle::testing::ControlWorld& control) : control_(control) {}
  base::Task<base::Result<registry::Release>> take(std::string bundle_path, Wish wish) override;
  std::uint64_t bytes_taken() const { return bytes_; }

 private:
  lifecycle::testing::ControlWorld& control_;
  std::uint64_t bytes_ = 0;
};

// Takes any file that does not begin with "bad": an archive of the tenant "old", with this data.
class FakeArchiveIntake final : public ArchiveIntake {
 public:
  FakeArchiveIntake(lifecycle::testing::ControlWorld& control, std::string folder)
      : control_(control), folder_(std::move(folder)) {}
  base::Task<base::Result<registry::Archive>> take(std::string path, std::string actor) override;
  base::Task<base::Result<std::uint64_t>> free_bytes() override;
  // What is free, and how much less there is at each further look.
  void set_free(std::uint64_t bytes, std::uint64_t less) {
    free_ = bytes;
    less_ = less;
  }

 private:
  lifecycle::testing::ControlWorld& control_;
  std::string folder_;
  std::uint64_t free_ = 1ULL << 50;
  std::uint64_t less_ = 0;
};

class FakeFleet final : public Fleet {
 public:
  explicit FakeFleet(cloud::Driver& cloud) : cloud_(cloud) {}
  base::Task<base::Result<cloud::Page>> list(std::string after, std::uint32_t limit) override;
  void go_away() { away_ = true; }

 private:
  cloud::Driver& cloud_;
  bool away_ = false;
};

// All roles are there, and there is room, until a test says otherwise.
class FakePlatform final : public Platform {
 public:
  explicit FakePlatform(base::Timer& timer) : timer_(timer) {}
  base::Task<PlatformState> look() override { co_return state; }
  base::Task<base::Error> agent_away() override;
  PlatformState state{.not_ready = {}, .warnings = {}, .free_bytes = 1ULL << 40};
  std::string away;  // what is said of the agent; empty: it is there

 private:
  base::Timer& timer_;
};

struct Reply {
  unsigned status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  base::json::object json() const;  // asserts that it is one
  std::string code() const;         // of a problem
};

struct Ask {
  std::string method = "GET";
  std::string target = "/";
  std::string body;
  std::string type = "application/json";
  std::string token;
  std::string headers;  // further ones, each ended by \r\n
};

// A target of this route, with this text in all its places.
std::string target_of(const Route& route, const std::string& text);
// The member, or "(none)".
std::string text_at(const base::json::object& object, std::string_view name);

class ApiWorld final {
 public:
  explicit ApiWorld(Patience patience = {}, std::uint64_t max_archive_bytes = 64ULL << 30);
  ~ApiWorld();

  // A token of this role, of an actor of its own.
  std::string token(registry::Role role);
  // One request on a connection of its own, with an operator's token unless it names another.
  Reply ask(Ask ask);
  Reply get(const std::string& target) { return ask({.target = target}); }
  Reply post(const std::string& target, const std::string& body) {
    return ask({.method = "POST", .target = target, .body = body});
  }
  // Sends these bytes and reads until the server closes.
  std::string raw(const std::string& bytes);
  // The same, but reads only until `enough` has arrived.
  std::string raw_until(const std::string& bytes, const std::string& enough);
  // The answer to an upload of these bytes as an archive.
  Reply upload_archive(const std::string& bytes);
  // A created tenant, active.
  void add_tenant(const std::string& id);

  lifecycle::testing::ControlWorld control;
  base::testing::TemporaryFolder folder;
  base::testing::TemporaryFolder archive_folder;
  base::testing::TemporaryFolder key_folder;
  FakeIntake intake{control};
  FakeArchiveIntake archive_intake{control, archive_folder.path()};
  FakeFleet fleet{control.cloud};
  FakePlatform platform{control.world.timer};
  std::unique_ptr<base::SigningKey> signing_key =
      std::move(*base::SigningKey::open(key_folder.path() + "/signing.key"));
  std::unique_ptr<Server> server;
  // Runs whatever is due until the task is done.
  void drive(base::Task<void> task);

 private:
  std::string operator_;
  operation::Listening listening_;
};

}  // namespace granary::api::testing

// The API's way to the release module: an upload becomes a release. Owned by control's main, on its
// executor; not for archives.
#pragma once

#include <map>
#include <string>

#include "api/parts.h"
#include "base/event.h"
#include "base/worker.h"
#include "wire/paths.h"

namespace granary::app {

// Turns an upload into a release in the release store, then records its row; and removes the files
// of a release whose row is gone. Blocking work runs on the worker. Lives on control's executor.
//
// Safety: while a release is being taken, between its files and its row, none is removed: the two
// may have the same contents.
class BundleIntake final : public api::ReleaseIntake, public lifecycle::ReleaseFiles {
 public:
  struct Parts {  // all outlive the intake
    store::Store& store;
    base::Worker& worker;
    const base::Clock& clock;
    base::Rng& rng;
  };
  BundleIntake(const base::asio::any_io_executor& executor, Parts parts, wire::Paths paths)
      : parts_(parts), paths_(std::move(paths)), changed_(executor) {}

  base::Task<base::Result<registry::Release>> take(std::string bundle_path, Wish wish) override;
  base::Task<base::Result<void>> remove(std::string hash) override;
  // Also removes work folders that nobody is working in: control was killed.
  base::Task<base::Result<std::vector<Found>>> list() override;

 private:
  base::Task<base::Result<registry::Release>> take_now(std::string bundle_path, Wish wish);
  base::Task<base::Result<void>> remove_now(std::string hash);
  base::Result<std::vector<Found>> list_now() const;

  Parts parts_;
  wire::Paths paths_;
  base::Event changed_;     // the two below
  std::size_t taking_ = 0;  // releases on their way in
  bool removing_ = false;
};

}  // namespace granary::app

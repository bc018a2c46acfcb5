// The app's two output streams on their way into the log ring, and init's own messages (`sys`).
// Owned by the supervisor; single-threaded.
#pragma once

#include <span>
#include <string_view>

#include "agent/init/line_splitter.h"
#include "agent/init/log_ring.h"
#include "agent/init/poller.h"
#include "agent/init/sys.h"

namespace granary::init {

// What a line's tag says about its origin. A continued piece has a `+` behind it.
enum class Origin { Out, Err, Sys };
std::string_view tag_of(Origin origin, Piece piece);

// One pipe that the app writes to. Reads a bounded amount per event, so that an app that floods
// its output cannot keep init from anything else; the app then waits on its full pipe.
class OutputStream final : private EventHandler, private LineSink {
 public:
  // All references must outlive the stream. `scratch` is shared and holds nothing between events.
  OutputStream(Origin origin, LogRing& ring, std::span<char> scratch)
      : origin_(origin), ring_(ring), scratch_(scratch), splitter_(*this) {}
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  bool start(Poller& poller, sys::Fd read_end);
  // No process holds the other end any more, and all it wrote is logged.
  bool ended() const { return !pipe_.open(); }
  // Logs what there is of a last line and closes the pipe. Idempotent.
  void finish();

 private:
  void on_events(std::uint32_t events) override;
  void on_line(std::string_view text, Piece piece) override;

  const Origin origin_;
  LogRing& ring_;
  const std::span<char> scratch_;
  LineSplitter splitter_;
  sys::Fd pipe_;
  WallTime now_{};
};

}  // namespace granary::init

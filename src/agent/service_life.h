// What a service has only while it is awake: one object for its lives one after another, without a
// pause between them. A part of service.h, for its sources alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/service.h"

namespace granary::agent {

struct Service::Awake {
  explicit Awake(const base::asio::any_io_executor& executor) : changed(executor) {}

  // Whether the present life goes on and nobody wants it to end.
  bool serves() const { return silo && !ended && stop == StopWish::None; }

  base::Event changed;         // phase, place, wish, acceptance or end
  std::unique_ptr<Silo> silo;  // Running and Stopping
  base::os::Fd door;
  bool door_lost = false;  // nobody finds it any more: the next life gets another
  std::uint32_t epoch = 0;
  std::uint32_t slot = 0;  // of the spec that this life was started with
  std::chrono::milliseconds stop_timeout{0};
  std::string fingerprint;
  base::BootTime started{0};
  bool has_place = false;  // it is its turn to start, since `started`
  StopWish stop = StopWish::None;
  std::string stop_reason;  // StopWish::Failed
  // Until then a life that is to stop may finish the requests under way.
  base::BootTime drained_by{0};
  bool wanted = false;  // somebody asked while it was not serving
  bool ended = false;

  // Whether somebody in the silo takes connections: on its port, or on descriptor 3. Once true it
  // stays true for this life; the rest tells how it was found out (service_acceptance.cc).
  bool accepts = false;
  std::uint64_t answers_before = 0;             // on the board when this life began
  std::uint64_t good_before = 0;                // of these, without an error of the server
  std::uint32_t most_waiting = 0;               // connections seen in the queue
  std::optional<base::BootTime> taken_since;    // fewer wait than are in flight
  std::optional<base::BootTime> ignored_since;  // all that are in flight wait
};

}  // namespace granary::agent

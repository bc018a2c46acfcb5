// Changes of operations, for whoever waits for them: event streams, which read a ring of the last
// ones at their own pace, and requests that wait for one operation. Nothing is queued per reader,
// so a slow one costs nothing; it is told what it missed. Lives on the server's executor.
#pragma once

#include <deque>
#include <memory>

#include "base/event.h"
#include "base/timer.h"
#include "operation/operation.h"

namespace granary::api {

class Feed final {
 public:
  // `epoch` tells this run of the program from others in the ids of events.
  Feed(base::asio::any_io_executor executor, std::string epoch, std::size_t kept);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  void changed(const operation::Operation& operation);

  struct Entry {
    std::uint64_t number = 0;
    std::string data;  // the operation's document
  };
  struct Batch {
    enum class Gap { None, Missed };  // Missed: the reader must look at everything anew
    Gap gap = Gap::None;
    std::vector<Entry> entries;
    std::uint64_t last = 0;
  };
  // What came after `number`.
  Batch since(std::uint64_t number) const;
  std::uint64_t last() const { return last_; }
  // "EPOCH-NUMBER", and back; another epoch's, or no id at all, is nothing.
  std::string event_id(std::uint64_t number) const;
  std::optional<std::uint64_t> number_of(std::string_view event_id) const;
  // Resumes at the next change or after `timeout`.
  base::Task<void> wait(base::Timer& timer, std::chrono::nanoseconds timeout);

  // Changes of one operation. Asking count() before reading the operation, and waiting only while
  // it is the same, loses none.
  class Watch final {
   public:
    Watch(Feed& feed, base::OperationId id);  // the feed outlives it
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    std::uint64_t count() const;
    base::Task<void> wait(base::Timer& timer, std::chrono::nanoseconds timeout);

   private:
    Feed& feed_;
    base::OperationId id_;
  };

 private:
  struct Watched {
    explicit Watched(const base::asio::any_io_executor& executor) : event(executor) {}
    base::Event event;
    std::uint64_t changes = 0;
    std::size_t watches = 0;
  };

  base::asio::any_io_executor executor_;
  std::string epoch_;
  std::size_t kept_;
  std::deque<Entry> ring_;  // consecutive numbers, the last is last_
  std::uint64_t last_ = 0;
  base::Event any_;
  // Progress: one for each operation with a Watch, gone with the last of them.
  std::map<base::OperationId, std::unique_ptr<Watched>> watched_;
};

}  // namespace granary::api

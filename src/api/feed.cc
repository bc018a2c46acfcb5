#include "api/feed.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <charconv>

#include "api/views.h"
#include "api/wire/codec.h"
#include "base/check.h"

namespace granary::api {

using base::OperationId;
using base::Task;

namespace {

// References outlive the wait.
Task<void> wait_for(base::Event& event, base::Timer& timer, std::chrono::nanoseconds timeout) {
  using base::asio::experimental::awaitable_operators::operator||;
  // Which of them it was does not matter: whoever waits looks again.
  co_await (event.wait() || timer.sleep(timeout));
}

}  // namespace

Feed::Feed(base::asio::any_io_executor executor, std::string epoch, std::size_t kept)
    : executor_(std::move(executor)), epoch_(std::move(epoch)), kept_(kept), any_(executor_) {}

void Feed::changed(const operation::Operation& operation) {
  const api_wire::OperationDocument document = operation_document(operation);
  ring_.push_back({++last_, base::json::print(api_wire::to_json(document))});
  if (ring_.size() > kept_) ring_.pop_front();
  any_.notify_all();
  const auto found = watched_.find(operation.id);
  if (found == watched_.end()) return;
  ++found->second->changes;
  found->second->event.notify_all();
}

Feed::Batch Feed::since(std::uint64_t number) const {
  Batch batch;
  batch.last = last_;
  const std::uint64_t first = last_ + 1 - ring_.size();
  if (number > last_ || number + 1 < first) batch.gap = Batch::Gap::Missed;
  for (const Entry& entry : ring_) {
    if (batch.gap == Batch::Gap::None && entry.number > number) batch.entries.push_back(entry);
  }
  return batch;
}

std::string Feed::event_id(std::uint64_t number) const {
  return fmt::format("{}-{}", epoch_, number);
}

std::optional<std::uint64_t> Feed::number_of(std::string_view event_id) const {
  if (!event_id.starts_with(epoch_ + "-")) return std::nullopt;
  const std::string_view digits = event_id.substr(epoch_.size() + 1);
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

Task<void> Feed::wait(base::Timer& timer, std::chrono::nanoseconds timeout) {
  co_await wait_for(any_, timer, timeout);
}

Feed::Watch::Watch(Feed& feed, OperationId id) : feed_(feed), id_(std::move(id)) {
  std::unique_ptr<Watched>& watched = feed_.watched_[id_];
  if (!watched) watched = std::make_unique<Watched>(feed_.executor_);
  ++watched->watches;
}

Feed::Watch::~Watch() {
  const auto found = feed_.watched_.find(id_);
  INVARIANT(found != feed_.watched_.end());
  if (--found->second->watches == 0) feed_.watched_.erase(found);
}

std::uint64_t Feed::Watch::count() const { return feed_.watched_.at(id_)->changes; }

Task<void> Feed::Watch::wait(base::Timer& timer, std::chrono::nanoseconds timeout) {
  co_await wait_for(feed_.watched_.at(id_)->event, timer, timeout);
}

}  // namespace granary::api

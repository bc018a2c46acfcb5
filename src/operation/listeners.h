// Functions that hear of every durable change of an operation. Each is removed when its Listening
// goes away, also from within a call. Lives on one executor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "operation/operation.h"

namespace granary::operation {

using Listener = std::function<void(const Operation&)>;

class Listeners final {
 private:
  struct List {
    std::map<std::uint64_t, Listener> functions;
    std::uint64_t next = 0;
  };

 public:
  // Keeps a listener for as long as it lives; it may outlive the Listeners.
  class Listening final {
   public:
    Listening() = default;
    Listening(Listening&& other) noexcept { *this = std::move(other); }
    Listening& operator=(Listening&& other) noexcept {
      remove();
      list_ = std::exchange(other.list_, {});
      number_ = other.number_;
      return *this;
    }
    ~Listening() { remove(); }
    void remove() {
      if (const auto list = list_.lock()) list->functions.erase(number_);
      list_.reset();
    }

   private:
    friend class Listeners;
    Listening(std::weak_ptr<List> list, std::uint64_t number)
        : list_(std::move(list)), number_(number) {}

    std::weak_ptr<List> list_;  // of the Listeners, which alone own it
    std::uint64_t number_ = 0;
  };

  [[nodiscard]] Listening add(Listener listener) {
    const std::uint64_t number = ++list_->next;
    list_->functions.emplace(number, std::move(listener));
    return {list_, number};
  }
  // In the order in which they were added. One that is added meanwhile hears of the next change.
  void tell(const Operation& operation) const {
    List* const list = list_.get();
    const std::uint64_t last = list->next;
    for (auto next = list->functions.begin(); next != list->functions.end();) {
      const auto [number, listener] = *next;  // a copy: it may remove itself
      if (number > last) return;
      listener(operation);
      next = list->functions.upper_bound(number);
    }
  }

 private:
  // Owned by this alone; shared so that each Listening can see whether it is still there.
  std::shared_ptr<List> list_ = std::make_shared<List>();
};

using Listening = Listeners::Listening;

}  // namespace granary::operation

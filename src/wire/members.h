// Reading the members of one JSON object, each once, with the first mistake kept: so that a codec
// lists its members and asks at the end. Whatever was not asked for is unknown, and refused.
// Value of one function; refers to the object.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace granary::wire {

class Members final {
 public:
  // `from` must outlive this.
  explicit Members(const base::json::object& from) : from_(from) {}

  std::string text(std::string_view name) {
    seen_.push_back(name);
    return take(base::json::get_string(from_, name));
  }
  std::vector<std::string> texts(std::string_view name) {
    seen_.push_back(name);
    return take(base::json::get_strings(from_, name));
  }
  // A whole number of `T`'s range, at most `at_most`.
  template <class T>
  T number(std::string_view name, std::uint64_t at_most = std::numeric_limits<T>::max()) {
    seen_.push_back(name);
    return narrow<T>(name, base::json::get_int(from_, name), at_most);
  }
  template <class T>
  T number_or(std::string_view name, std::int64_t fallback,
              std::uint64_t at_most = std::numeric_limits<T>::max()) {
    seen_.push_back(name);
    return narrow<T>(name, base::json::get_int_or(from_, name, fallback), at_most);
  }
  // False where there is none.
  bool flag(std::string_view name);
  // Never null: an empty object where there is none, which is a mistake.
  const base::json::object& child(std::string_view name);
  const base::json::array& list(std::string_view name);
  bool is_null(std::string_view name) {
    const base::json::value* member = from_.if_contains(name);
    return member != nullptr && member->is_null();
  }

  void refuse(base::Error error) {
    if (!error_) error_ = std::move(error);
  }
  // Takes a value out of a Result, or keeps its error.
  template <class T>
  T take(base::Result<T> result) {
    if (result) return std::move(*result);
    refuse(std::move(result).error());
    return T();
  }
  // The first mistake, or a member that nobody asked for.
  base::Result<void> finish() const;

 private:
  template <class T>
  T narrow(std::string_view name, base::Result<std::int64_t> number, std::uint64_t at_most) {
    const std::int64_t value = take(std::move(number));
    if (value >= 0 && static_cast<std::uint64_t>(value) <= at_most) return static_cast<T>(value);
    refuse(base::Error{base::Code::InvalidArgument,
                       fmt::format("member '{}' must be 0 to {}", name, at_most),
                       {},
                       {}});
    return T();
  }

  const base::json::object& from_;
  std::vector<std::string_view> seen_;
  std::optional<base::Error> error_;
};

}  // namespace granary::wire

#include "wire/members.h"

#include <algorithm>

namespace granary::wire {

using base::Code;
using base::Error;

const base::json::object& Members::child(std::string_view name) {
  static const base::json::object kNone;
  seen_.push_back(name);
  if (const base::json::object* found = base::json::find_object(from_, name)) return *found;
  refuse(Error{Code::InvalidArgument, fmt::format("member '{}' must be an object", name), {}, {}});
  return kNone;
}

const base::json::array& Members::list(std::string_view name) {
  static const base::json::array kNone;
  seen_.push_back(name);
  if (const base::json::array* found = base::json::find_array(from_, name)) return *found;
  refuse(Error{Code::InvalidArgument, fmt::format("member '{}' must be a list", name), {}, {}});
  return kNone;
}

bool Members::flag(std::string_view name) {
  seen_.push_back(name);
  const base::json::value* member = from_.if_contains(name);
  if (member == nullptr) return false;
  if (member->is_bool()) return member->get_bool();
  refuse(Error{Code::InvalidArgument, fmt::format("member '{}' must be a bool", name), {}, {}});
  return false;
}

base::Result<void> Members::finish() const {
  if (error_) return std::unexpected(*error_);
  for (const auto& member : from_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(seen_, name) == seen_.end())
      return base::fail(Code::InvalidArgument, "member '{}' is unknown", name);
  }
  return {};
}

}  // namespace granary::wire

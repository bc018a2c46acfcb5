#include "agent/init/environment.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace granary::init {
namespace {

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

}  // namespace

Environment::Environment(char** inherited) {
  std::size_t count = 0;
  while (inherited[count] != nullptr) ++count;
  list_ = static_cast<char**>(std::calloc(count + kAdditions + 1, sizeof(char*)));
  if (list_ != nullptr) std::memcpy(list_, inherited, count * sizeof(char*));
}

Environment::~Environment() { std::free(list_); }

void Environment::set(char* assignment) {
  if (list_ == nullptr) return;
  char** at = list_;
  while (*at != nullptr && name_of(*at) != name_of(assignment)) ++at;
  *at = assignment;
}

void Environment::remove(const char* name) {
  if (list_ == nullptr) return;
  char** kept = list_;
  for (char** at = list_; *at != nullptr; ++at) {
    if (name_of(*at) != name) *kept++ = *at;
  }
  *kept = nullptr;
}

}  // namespace granary::init

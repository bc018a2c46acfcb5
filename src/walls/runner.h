// Runs one attempt in a process of its own, with a deadline: whatever it does to itself, the
// server stays. What dies of a signal was held by it; what gives no answer counts as broken, since
// nothing refused it.
#pragma once

#include "walls/attempt.h"
#include "walls/knowledge.h"

namespace granary::walls {

Answer run_attempt(const Attempt& attempt, const Knowledge& known);

// {"name": ..., "outcome": ..., "answer": ...}
std::string to_json(const Attempt& attempt, const Answer& answer);
// [{"name": ..., "topic": ..., "what": ...}, ...]
std::string list_as_json();

}  // namespace granary::walls

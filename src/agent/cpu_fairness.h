// Which accounts step back: those that have used much of a CPU of late run only where no other
// account wants to, until they have been calm for a while. A feedback queue of two levels (Corbato
// 1962): whoever answers a few requests now and then is served as if the machine were empty,
// whatever its neighbours do. Pure; told what was used, says who changes.
#pragma once

#include <map>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace granary::agent {

struct CpuLevel {
  base::AccountId account;
  bool steps_back = false;
  bool operator==(const CpuLevel&) const = default;
};

class CpuFairness final {
 public:
  using Times = std::map<base::AccountId, std::chrono::nanoseconds>;

  // `used`: the CPU time of every account that runs now, since its groups were made. `now` never
  // goes back. Gives those that change; what does not run any more is forgotten.
  std::vector<CpuLevel> look(base::BootTime now, const Times& used);
  bool steps_back(const base::AccountId& account) const;
  std::vector<base::AccountId> stepping_back() const;

 private:
  struct Seen {
    std::chrono::nanoseconds used{0};
    double cores = 0;  // a moving average
    base::BootTime calm_since{0};
    bool steps_back = false;
  };
  static void note(Seen& seen, double cores, double seconds, base::BootTime now);
  std::map<base::AccountId, Seen> seen_;
  base::BootTime looked_{0};
};

}  // namespace granary::agent

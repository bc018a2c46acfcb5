// What happened in a world, line by line with its virtual time, for whoever looks for a cause. Off
// unless a run is repeated for its trace: writing costs more than simulating. Single-threaded.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/hash.h"

namespace granary::lifecycle::simulation {

class Trace final {
 public:
  explicit Trace(const base::Clock& clock) : clock_(clock) {}
  ~Trace() { close(); }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // Writes to this file from now on; "-": to standard output.
  void open(const std::string& path);
  void close();
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    if (file_ != nullptr) write(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void write(const std::string& text);

  const base::Clock& clock_;
  std::FILE* file_ = nullptr;
};

}  // namespace granary::lifecycle::simulation

#include "lifecycle/testing/simulation/trace.h"

#include "base/check.h"

namespace granary::lifecycle::simulation {

void Trace::open(const std::string& path) {
  close();
  file_ = path == "-" ? stdout : std::fopen(path.c_str(), "we");
  ASSERT(file_ != nullptr);
}

void Trace::close() {
  if (file_ != nullptr && file_ != stdout) (void)std::fclose(file_);
  file_ = nullptr;
}

void Trace::write(const std::string& text) {
  const double seconds = std::chrono::duration<double>(clock_.boot()).count();
  (void)std::fputs(fmt::format("{:12.4f} {}\n", seconds, text).c_str(), file_);
}

}  // namespace granary::lifecycle::simulation

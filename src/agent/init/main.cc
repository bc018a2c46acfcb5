// granary-init: the first process inside a running silo. README.md describes what it is given and
// what it does; nothing here but the order in which that begins.
#include <unistd.h>

#include <span>

#include "agent/init/limits.h"
#include "agent/init/options.h"
#include "agent/init/supervisor.h"
#include "agent/init/sys.h"
#include "agent/init/text.h"

namespace {

constexpr int kWrongUsage = 2;

void prepare_descriptors() {
  using namespace granary::init;
  sys::fill_standard_descriptors();
  sys::close_from(kStatusFd + 1);
  for (int fd = kListenerFd; fd <= kStatusFd; ++fd) sys::set_close_on_exec(fd);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace granary::init;
  sys::forbid_inspection();
  prepare_descriptors();
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  const auto options = parse_options(arguments.subspan(arguments.empty() ? 0 : 1));
  if (!options) {
    Text<256> message;
    message << "granary-init: " << options.error().option << " " << options.error().problem
            << ". usage: granary-init --listen fd|PORT --stop-timeout MS --log-bytes N "
               "[--workdir DIR] [--egress SOCKET] [--empty DIR] [--watches guarded] -- COMMAND "
               "ARGS...\n";
    sys::write_to_stderr(message.view());
    return kWrongUsage;
  }
  // On the stack for its size: pages of its buffers that are never used are never there.
  Supervisor supervisor(*options, environ);
  supervisor.start();
  while (!supervisor.finished()) supervisor.step();
  _exit(supervisor.exit_code());
}

#include "agent/host/seccomp_new_calls.h"

#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>

namespace granary::agent {
namespace {

// Numbers from here on are of x86's third architecture, x32, which the program that follows kills.
constexpr std::uint32_t kX32 = 0x40000000;

constexpr std::uint32_t verdict_of(NewCall rule) {
  return rule == NewCall::Allowed ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM;
}

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t verdict) { return BPF_STMT(BPF_RET | BPF_K, verdict); }
// Goes on with the next instruction where it holds, past the next `skip` where it does not.
sock_filter unless(std::uint16_t comparison, std::uint32_t value, std::size_t skip) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), value, 0,
                  static_cast<std::uint8_t>(skip));
}
sock_filter when(std::uint16_t comparison, std::uint32_t value, std::size_t skip) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), value,
                  static_cast<std::uint8_t>(skip), 0);
}

}  // namespace

std::vector<sock_filter> new_calls_prologue(std::uint32_t architecture) {
  std::vector<sock_filter> rules;
  for (const NewCallRule& rule : kNewCalls) {
    rules.push_back(unless(BPF_JEQ, rule.number, 1));
    rules.push_back(answer(verdict_of(rule.rule)));
  }
  rules.push_back(answer(SECCOMP_RET_ERRNO | ENOSYS));

  std::vector<sock_filter> program;
  program.push_back(load(offsetof(seccomp_data, arch)));
  program.push_back(unless(BPF_JEQ, architecture, rules.size() + 3));
  program.push_back(load(offsetof(seccomp_data, nr)));
  program.push_back(unless(BPF_JGE, kFirstNewCall, rules.size() + 1));
  program.push_back(when(BPF_JGE, kX32, rules.size()));
  program.insert(program.end(), rules.begin(), rules.end());
  return program;
}

}  // namespace granary::agent

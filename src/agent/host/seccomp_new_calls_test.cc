#include "agent/host/seccomp_new_calls.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace granary::agent {
namespace {

constexpr std::uint32_t kOther = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kOwn = AUDIT_ARCH_X86_64;

// What the kernel would do with it: its verdict, or nothing where it runs past the end.
std::optional<std::uint32_t> run(std::uint32_t architecture, std::uint32_t number) {
  const std::vector<sock_filter> program = new_calls_prologue(kOwn);
  seccomp_data data{};
  data.arch = architecture;
  data.nr = static_cast<int>(number);
  std::uint32_t accumulator = 0;
  std::size_t at = 0;
  while (at < program.size()) {
    const sock_filter& step = program[at++];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + step.k, 4);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += accumulator == step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += accumulator >= step.k ? step.jt : step.jf;
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        ADD_FAILURE() << "an instruction of another kind: " << step.code;
        return std::nullopt;
    }
  }
  EXPECT_EQ(at, program.size());  // exactly at what follows
  return std::nullopt;
}

TEST(SeccompNewCallsTest, CallsThatNobodyHereKnowsAnswerAsFromAKernelWithoutThem) {
  for (const std::uint32_t number : {453U, 467U, 600U, 1'000'000U, 0x3fffffffU})
    EXPECT_EQ(run(kOwn, number), SECCOMP_RET_ERRNO | ENOSYS) << number;
}

TEST(SeccompNewCallsTest, KnownNewCallsAnswerAsTheyAreListed) {
  for (const NewCallRule& rule : kNewCalls) {
    const std::uint32_t expected =
        rule.rule == NewCall::Allowed ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM;
    EXPECT_EQ(run(kOwn, rule.number), expected) << rule.number;
  }
}

TEST(SeccompNewCallsTest, AllElseIsLeftToTheProgramThatFollows) {
  for (const std::uint32_t number : {0U, 1U, 59U, 450U, 0x40000000U, 0x40000027U, 0xffffffffU})
    EXPECT_EQ(run(kOwn, number), std::nullopt) << number;
  for (const std::uint32_t number : {0U, 452U, 458U, 1'000U})
    EXPECT_EQ(run(kOther, number), std::nullopt) << number;
}

}  // namespace
}  // namespace granary::agent

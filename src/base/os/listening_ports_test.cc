#include "base/os/listening_ports.h"

#include <gtest/gtest.h>

namespace granary::base::os {
namespace {

using Ports = std::vector<std::uint16_t>;

TEST(ListeningPorts, OnlyListenersCountAndEachPortOnce) {
  constexpr std::string_view kTable =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000\n"
      "   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000\n"
      "  sl  local_address                         remote_address  st\n"
      "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0\n"
      "   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0\n";
  EXPECT_EQ(parse_listening_ports(kTable), (Ports{80, 8080}));
}

TEST(ListeningPorts, ATableCutAnywhereIsNoFault) {
  constexpr std::string_view kTable = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n";
  for (std::size_t cut = 0; cut <= kTable.size(); ++cut) {
    const Ports ports = parse_listening_ports(kTable.substr(0, cut));
    EXPECT_EQ(ports, cut < 36 ? Ports{} : Ports{8080}) << cut;
  }
}

TEST(ListeningPorts, AProcessThatEndedListensNowhere) { EXPECT_EQ(listening_ports(0), Ports{}); }

}  // namespace
}  // namespace granary::base::os

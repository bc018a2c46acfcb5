#include "cli/quantity.h"

#include <gtest/gtest.h>

namespace granary::cli {
namespace {

TEST(QuantityTest, SizesAreReadAndPrintedAsManifestsHaveThem) {
  EXPECT_EQ(parse_size("256Mi").value_or(0), 256ULL << 20);
  EXPECT_EQ(parse_size("1Gi").value_or(0), 1ULL << 30);
  EXPECT_EQ(parse_size("1500").value_or(0), 1500U);
  for (const char* size : {"256Mi", "10Gi", "3Ki", "1500", "0", "2Ti"})
    EXPECT_EQ(print_size(parse_size(size).value_or(7)), size);
}

TEST(QuantityTest, WhatIsNoSizeIsRefused) {
  for (const char* size :
       {"", "Mi", "-1", "1.5Gi", "256M", "256 Mi", "0x10", "17179869184Ti", "18446744073709551616"})
    EXPECT_FALSE(parse_size(size).has_value()) << size;
}

TEST(QuantityTest, CoresAreReadInThousandthsAndPrintedShort) {
  EXPECT_EQ(parse_cpu("0.5").value_or(0), 500U);
  EXPECT_EQ(parse_cpu("2").value_or(0), 2000U);
  EXPECT_EQ(parse_cpu("1.25").value_or(0), 1250U);
  EXPECT_EQ(parse_cpu("0.001").value_or(0), 1U);
  for (const char* cpu : {"0.5", "2", "1.25", "0.001", "0"})
    EXPECT_EQ(print_cpu(parse_cpu(cpu).value_or(7)), cpu);
  for (const char* cpu : {"", ".", ".5", "1.", "0.0001", "-1", "1,5", "1e3", "2000000", "0.-5"})
    EXPECT_FALSE(parse_cpu(cpu).has_value()) << cpu;
}

}  // namespace
}  // namespace granary::cli

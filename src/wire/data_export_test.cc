#include "wire/data_export.h"

#include <gtest/gtest.h>

namespace granary::wire {
namespace {

TEST(DataExport, SurvivesItsJsonForm) {
  DataExport written{.bytes = 1ULL << 40,
                     .sha256 = std::string(64, 'a'),
                     .files = 7,
                     .data_bytes = 12,
                     .paused = std::chrono::microseconds(345),
                     .left_out = {}};
  written.left_out.add(base::LeftOutKind::Socket, "run/app.sock");
  const auto back = data_export_from(to_json(written));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, written);
}

TEST(DataExport, AnUnknownOrMissingMemberIsRefused) {
  base::json::object document = to_json(DataExport{});
  document["more"] = 1;
  EXPECT_EQ(data_export_from(document).error().code, base::Code::InvalidArgument);
  document.erase("more");
  document.erase("paused_us");
  EXPECT_EQ(data_export_from(document).error().code, base::Code::InvalidArgument);
}

}  // namespace
}  // namespace granary::wire

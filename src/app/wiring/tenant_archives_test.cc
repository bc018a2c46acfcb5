#include "app/wiring/tenant_archives.h"

#include <gtest/gtest.h>

namespace granary::app {
namespace {

using base::json::object;
using lifecycle::ArchiveHead;

ArchiveHead whole_head() {
  ArchiveHead head;
  head.tenant = "acme";
  head.installation = std::string(64, 'f');
  head.configuration["name"] = "Acme Inc";
  head.release = "insight-aaaaaaaaaaaa";
  head.release_hash = std::string(64, 'a');
  head.created = base::WallTime(std::chrono::microseconds(1'700'000'000'123'456));
  head.data.files = 3;
  head.data.data_bytes = 70;
  head.data.paused = std::chrono::microseconds(12);
  head.data.left_out.add(base::LeftOutKind::Socket, "run/app.sock");
  return head;
}

// As the archive room completes it.
object completed(const ArchiveHead& head) {
  object document = to_document(head);
  document["data"].as_object()["bytes"] = 1234;
  document["data"].as_object()["sha256"] = std::string(64, 'b');
  return document;
}

TEST(ArchiveDocumentTest, AHeadComesBackAsItWas) {
  const auto head = head_from(completed(whole_head()));
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->tenant, "acme");
  EXPECT_EQ(head->configuration, whole_head().configuration);
  EXPECT_EQ(head->release_hash, whole_head().release_hash);
  EXPECT_EQ(head->created, whole_head().created);
  EXPECT_EQ(head->data.bytes, 1234U);
  EXPECT_EQ(head->data.files, 3U);
  EXPECT_EQ(head->data.paused, whole_head().data.paused);
  EXPECT_EQ(head->data.left_out, whole_head().data.left_out);
}

TEST(ArchiveDocumentTest, AnOlderOneSaysNothingOfWhatWasLeftOut) {
  object document = completed(whole_head());
  document["data"].as_object().erase("left_out");
  const auto head = head_from(document);
  ASSERT_TRUE(head.has_value());
  EXPECT_TRUE(head->data.left_out.empty());
}

TEST(ArchiveDocumentTest, OneOfATenantWithoutAReleaseHasNone) {
  ArchiveHead bare = whole_head();
  bare.release.clear();
  bare.release_hash.clear();
  const object document = completed(bare);
  EXPECT_FALSE(document.contains("release"));
  EXPECT_EQ(head_from(document)->release_hash, "");
}

TEST(ArchiveDocumentTest, WhatWouldBecomeAPathIsChecked) {
  for (const char* tenant : {"../x", "", "Acme"}) {
    object document = completed(whole_head());
    document["tenant"] = tenant;
    EXPECT_FALSE(head_from(document).has_value()) << tenant;
  }
  object document = completed(whole_head());
  document["release"].as_object()["hash"] = "../../etc/passwd";
  EXPECT_FALSE(head_from(document).has_value());
}

TEST(ArchiveDocumentTest, MissingAndNegativeMembersAreRefused) {
  for (const char* name : {"tenant", "installation", "created_us", "data"}) {
    object document = completed(whole_head());
    document.erase(name);
    EXPECT_FALSE(head_from(document).has_value()) << name;
  }
  object document = completed(whole_head());
  document["data"].as_object()["files"] = -1;
  EXPECT_FALSE(head_from(document).has_value());
}

}  // namespace
}  // namespace granary::app

// Bundles and data archives mean the same in whatever pieces their bytes are read: the packed ones,
// and the archive within.
#include "base/testing/pieces.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/testing/temporary_folder.h"
#include "wire/bundle_reader.h"
#include "wire/data_reader.h"
#include "wire/testing/bundle_builder.h"
#include "wire/testing/packed_pieces.h"

namespace granary::wire {
namespace {

using base::testing::corpus_of;
using base::testing::Cuts;
using base::testing::for_each_cutting;
using base::testing::pieces_of;
using base::testing::text_of;
using testing::BundleBuilder;
using testing::PiecesPipe;

std::string describe_bundle(const std::string& path) {
  auto opened = BundleReader::open(path, {});
  if (!opened) return describe(opened.error());
  BundleReader& reader = **opened;
  std::string all;
  for (auto entry = reader.next();; entry = reader.next()) {
    if (!entry) return all + describe(entry.error());
    if (!*entry) break;
    all += fmt::format("{} {} {} {} {}\n", static_cast<int>((*entry)->kind), (*entry)->path,
                       static_cast<int>((*entry)->executable), (*entry)->size, (*entry)->target);
    for (auto bytes = reader.read(); (*entry)->kind == base::os::EntryKind::File;
         bytes = reader.read()) {
      if (!bytes) return all + describe(bytes.error());
      if (bytes->empty()) break;
      all += *bytes;
    }
  }
  const auto finished = reader.finish();
  // How long the packed bytes are depends on where they were cut.
  return all + (finished ? finished->hash : describe(finished.error()));
}

base::Result<void> add_blocks(DataReader& reader, std::string& all) {
  std::uint64_t end = 0;
  for (;;) {
    TRY_ASSIGN(const DataReader::Block block, reader.block());
    if (block.bytes.empty()) return {};
    if (block.offset != end) all += fmt::format("\nat {}: ", block.offset);
    all += block.bytes;
    end = block.offset + block.bytes.size();
  }
}

std::string describe_data(const std::string& path) {
  auto opened = DataReader::open(path);
  if (!opened) return describe(opened.error());
  DataReader& reader = **opened;
  std::string all;
  for (bool more = true; more;) {
    const auto entry = reader.next();
    if (!entry) return all + describe(entry.error());
    more = entry->has_value();
    if (more) {
      all += fmt::format("\n{} {} {:o} {} {} {}", to_string((*entry)->kind), (*entry)->path,
                         (*entry)->mode, (*entry)->mtime_seconds, (*entry)->size, (*entry)->target);
      for (const auto& [name, value] : (*entry)->attributes) all += " " + name + "=" + value;
    }
    if (const auto read = add_blocks(reader, all); !read) return all + describe(read.error());
  }
  const auto finished = reader.finish();
  return all + (finished ? "whole" : describe(finished.error()));
}

// Whether a cut here is within the zeros that fill a block: each is like the next, and they are
// most of an archive.
bool is_padding(std::string_view plain, std::size_t at) {
  constexpr std::size_t kEdge = 8;
  if (at < kEdge || at + kEdge > plain.size() || at % 512 < kEdge || at % 512 > 512 - kEdge)
    return false;
  return plain.substr(at - kEdge, 2 * kEdge).find_first_not_of('\0') == std::string_view::npos;
}

class WirePiecesTest : public ::testing::Test {
 protected:
  using Describe = std::string (*)(const std::string& path);

  std::string in_pieces(Describe describe, std::vector<std::string> pieces) const {
    const PiecesPipe pipe(folder_ / "pipe", std::move(pieces));
    return describe(folder_ / "pipe");
  }
  // Of an archive: it is cut where it is packed, and where it is not.
  void expect_same(Describe describe, std::string_view plain) const {
    const std::string packed = testing::in_zstd_frame(plain);
    folder_.write("whole", packed);
    const std::string whole = describe(folder_ / "whole");
    for_each_cutting(packed, [&](const Cuts& cuts) {
      std::vector<std::string> pieces;
      for (const std::string_view piece : pieces_of(packed, cuts)) pieces.emplace_back(piece);
      ASSERT_EQ(in_pieces(describe, std::move(pieces)), whole) << "packed, " << text_of(cuts);
    });
    for_each_cutting(plain, [&](const Cuts& cuts) {
      if (cuts.size() == 1 && is_padding(plain, cuts[0])) return;
      ASSERT_EQ(in_pieces(describe, testing::packed_in_pieces(pieces_of(plain, cuts))), whole)
          << text_of(cuts);
    });
  }

  base::testing::TemporaryFolder folder_;
};

TEST_F(WirePiecesTest, ABundleMeansTheSameInWhateverPiecesItIsRead) {
  const std::string name(120, 'n');
  for (const auto format : {BundleBuilder::Format::Gnu, BundleBuilder::Format::Pax}) {
    BundleBuilder good(format);
    const std::string tar = good.folder("a")
                                .file("a/run", "#!/bin/sh\n", 0755)
                                .link("a/link", "run")
                                .file("a/" + name, "x")
                                .tar();
    expect_same(describe_bundle, tar);
    BundleBuilder bad(format);
    expect_same(describe_bundle, bad.file("a", "hello").hard_link("b", "a").tar());
  }
  expect_same(describe_bundle, "this is no archive");
}

TEST_F(WirePiecesTest, ADataArchiveMeansTheSameInWhateverPiecesItIsRead) {
  for (const std::string& input : corpus_of("data_archive_fuzz")) expect_same(describe_data, input);
}

}  // namespace
}  // namespace granary::wire

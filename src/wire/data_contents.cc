#include "wire/data_contents.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/os/file.h"
#include "base/os/syscall.h"
#include "base/text.h"
#include "wire/data_links.h"
#include "wire/members.h"
#include "wire/zstd_frame.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kPiece = 64U << 10;
constexpr std::size_t kMaxEnd = 4'096;  // the totals, from somebody else
constexpr int kZstdLevel = 1;           // lines alike: a tenth of their size, at more than 400 MB/s
constexpr std::string_view kNextLine = ",\n";

using base::percent_escaped;

std::string beginning(int version) {
  return fmt::format("{{\"version\":{},\"entries\":[", version);
}

std::string target_of(const DataEntry& entry) {
  if (entry.target_part == 0) return entry.target;
  return name_in_archive(entry.target_part, entry.target);
}

// `before`: the entry before it, as the archive calls that.
std::string line_of(const DataEntry& entry, const DataDigest& digest, const std::string& before) {
  std::string line = entry.part == 0 ? "{" : fmt::format(R"({{"part":{},)", entry.part);
  line += fmt::format(R"("path":"{}","type":"{}","mode":"{:04o}")", percent_escaped(entry.path),
                      to_string(entry.kind), entry.mode);
  if (entry.kind == DataKind::File)
    line += fmt::format(R"(,"size":{},"sha256":"{}")", entry.size, digest.sha256);
  if (entry.part != 0 && entry.path.empty())
    line += fmt::format(R"(,"continues":"{}")", percent_escaped(before));
  if (!digest.map.empty()) line += fmt::format(R"(,"map":"{}")", digest.map);
  if (!entry.target.empty())
    line += fmt::format(R"(,"{}":"{}")", entry.target_part == 0 ? "target" : "target_in_archive",
                        percent_escaped(target_of(entry)));
  for (const auto& [name, value] : entry.attributes) {
    line += name == entry.attributes.begin()->first ? R"(,"attributes":{)" : ",";
    line += fmt::format(R"("{}":"{}")", percent_escaped(name), base::sha256_hex(value));
  }
  return line + (entry.attributes.empty() ? "}" : "}}");
}

std::string ending(const DataTotals& totals, int version) {
  const std::string counts = fmt::format(R"("files":{},"folders":{},"links":{},"bytes":{})",
                                         totals.files, totals.folders, totals.links, totals.bytes);
  const std::string rest =
      version == 1 ? fmt::format(R"("left_out":{},"changed":{})",
                                 totals.left_out.count(base::LeftOutKind::Fifo), totals.changed)
                   : fmt::format(R"("changed":{},"disk_bytes":{},"left_out":{})", totals.changed,
                                 totals.disk_bytes, base::json::print(to_json(totals.left_out)));
  return fmt::format("\n],\"totals\":{{{},{}}}}}\n", counts, rest);
}

// Of "\n],"totals":{...}}\n". What is not there in just this form shows when it is written anew.
Result<DataTotals> totals_from(const std::string& end, int version) {
  constexpr std::string_view kBefore = "\n],";
  if (!end.starts_with(kBefore))
    return base::fail(Code::InvalidArgument, "it lists an entry that is not there");
  TRY_ASSIGN(const auto document,
             base::json::parse_object("{" + end.substr(kBefore.size()), kMaxEnd + 1));
  Members outer(document);
  Members members(outer.child("totals"));
  DataTotals totals;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  totals.files = members.number<std::uint64_t>("files", kMost);
  totals.folders = members.number<std::uint64_t>("folders", kMost);
  totals.links = members.number<std::uint64_t>("links", kMost);
  totals.bytes = members.number<std::uint64_t>("bytes", kMost);
  totals.changed = members.number<std::uint64_t>("changed", kMost);
  if (version == 1) {
    // Pipes, sockets and devices were one number; most of them are pipes.
    totals.left_out.counts[static_cast<std::size_t>(base::LeftOutKind::Fifo)] =
        members.number<std::uint64_t>("left_out", kMost);
  } else {
    totals.disk_bytes = members.number<std::uint64_t>("disk_bytes", kMost);
    totals.left_out = members.take(base::left_out_from(members.child("left_out")));
  }
  TRY(members.finish());
  TRY(outer.finish());
  return totals;
}

}  // namespace

struct DataContents::State {
  int version = kDataArchiveVersion;
  std::unique_ptr<ZstdWriter> writer;
  std::string waiting;  // not written yet
  std::uint64_t size = 0;
  bool any = false;    // entries
  std::string before;  // the last of them
  // For piece() and compare().
  std::unique_ptr<ZstdReader> reader;
  std::string ours;     // read and not yet compared
  std::string current;  // the line that is being compared, as far as it was
  std::string end;      // of theirs, beyond what is ours

  Result<void> flush() {
    TRY(writer->write(waiting));
    size += waiting.size();
    waiting.clear();
    return {};
  }

  // All is written: from now on it is read.
  Result<void> turn() {
    if (reader) return {};
    TRY(flush());
    TRY(writer->finish());
    base::os::Fd file = writer->take_file();
    TRY(base::os::checked("lseek", "contents", [&] { return ::lseek(file.get(), 0, SEEK_SET); }));
    reader = ZstdReader::on(std::move(file));
    return {};
  }

  base::Failure differs() {
    std::string rest = ours;
    while (rest.find('\n', kNextLine.size()) == std::string::npos) {
      const auto more = reader->pull();
      if (!more || more->empty()) break;
      rest += *more;
    }
    if (rest.starts_with(kNextLine)) {  // all of this line was right, and the next one is missing
      current.clear();
      rest.erase(0, kNextLine.size());
    }
    current += rest.substr(0, rest.find('\n'));
    constexpr std::string_view kPath = "\"path\":\"";
    const std::size_t at = current.find(kPath);
    std::string name = at == std::string::npos ? current : current.substr(at + kPath.size());
    name.resize(std::min(name.find('"'), name.size()));
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("the archive is damaged: {} is not what its contents.json says",
                    base::quote(name)),
        "Use another copy of the export");
  }
};

DataContents::DataContents(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataContents::~DataContents() = default;

Result<std::unique_ptr<DataContents>> DataContents::open(const std::string& beside, int version) {
  auto state = std::make_unique<State>();
  TRY_ASSIGN(base::os::Fd file, nameless_file(beside));
  state->writer = ZstdWriter::on(std::move(file), kZstdLevel);
  state->version = version;
  state->waiting = beginning(version);
  return std::unique_ptr<DataContents>(new DataContents(std::move(state)));
}

Result<void> DataContents::add(const DataEntry& entry, const DataDigest& digest) {
  state_->waiting += state_->any ? kNextLine : "\n";
  state_->waiting += line_of(entry, digest, state_->before);
  state_->before = name_in_archive(entry.part, entry.path);
  state_->any = true;
  if (state_->waiting.size() < kPiece) return {};
  return state_->flush();
}

Result<std::uint64_t> DataContents::finish(const DataTotals& totals) {
  state_->waiting += ending(totals, state_->version);
  TRY(state_->turn());
  return state_->size;
}

Result<std::string> DataContents::piece() {
  TRY_ASSIGN(const std::string_view bytes, state_->reader->pull());
  return std::string(bytes);
}

Result<void> DataContents::compare(std::string_view theirs) {
  State& state = *state_;
  TRY(state.turn());
  while (!theirs.empty()) {
    if (state.ours.empty()) {
      TRY_ASSIGN(state.ours, piece());
    }
    if (state.ours.empty()) break;  // all of ours was there
    const std::size_t length = std::min(state.ours.size(), theirs.size());
    const auto [own, other] = std::ranges::mismatch(std::string_view(state.ours).substr(0, length),
                                                    theirs.substr(0, length));
    const std::string_view equal(
        state.ours.data(), static_cast<std::size_t>(own - std::string_view(state.ours).begin()));
    state.current += equal;
    if (const std::size_t line = state.current.rfind('\n'); line != std::string::npos)
      state.current.erase(0, line + 1);
    state.ours.erase(0, equal.size());
    if (equal.size() < length) return state.differs();
    theirs.remove_prefix(length);
  }
  state.end += theirs;
  if (state.end.size() > kMaxEnd)
    return base::fail(Code::InvalidArgument,
                      "the archive is damaged: its contents.json lists what is not there");
  return {};
}

Result<void> DataContents::compare_end(DataTotals& counted) {
  State& state = *state_;
  TRY(compare({}));
  if (state.ours.empty()) {
    TRY_ASSIGN(state.ours, piece());
  }
  if (!state.ours.empty()) return state.differs();
  const auto theirs = totals_from(state.end, state.version);
  if (theirs) {
    counted.left_out = theirs->left_out;
    counted.changed = theirs->changed;
    counted.disk_bytes = theirs->disk_bytes;
  }
  if (theirs && ending(counted, state.version) == state.end) return {};
  return base::fail_with_advice(
      Code::InvalidArgument,
      fmt::format("the archive is damaged: its contents.json {}",
                  theirs ? "has other totals" : "ends otherwise than it holds"),
      "Use another copy of the export");
}

}  // namespace granary::wire

#include "wire/data_contents.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/os/file.h"
#include "base/os/syscall.h"
#include "base/text.h"
#include "wire/members.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kPiece = 64U << 10;
constexpr std::size_t kMaxEnd = 1'024;  // the totals, from somebody else
constexpr std::string_view kNextLine = ",\n";

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '%') {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text;
}

std::string beginning() {
  return fmt::format("{{\"version\":{},\"entries\":[", kDataArchiveVersion);
}

std::string line_of(const DataEntry& entry, const DataDigest& digest) {
  std::string line = fmt::format(R"({{"path":"{}","type":"{}","mode":"{:04o}")",
                                 escaped(entry.path), to_string(entry.kind), entry.mode);
  if (entry.kind == DataKind::File)
    line += fmt::format(R"(,"size":{},"sha256":"{}")", entry.size, digest.sha256);
  if (!digest.map.empty()) line += fmt::format(R"(,"map":"{}")", digest.map);
  if (!entry.target.empty()) line += fmt::format(R"(,"target":"{}")", escaped(entry.target));
  for (const auto& [name, value] : entry.attributes) {
    line += name == entry.attributes.begin()->first ? R"(,"attributes":{)" : ",";
    line += fmt::format(R"("{}":"{}")", escaped(name), base::sha256_hex(value));
  }
  return line + (entry.attributes.empty() ? "}" : "}}");
}

std::string ending(const DataTotals& totals) {
  return fmt::format(
      "\n],\"totals\":{{\"files\":{},\"folders\":{},\"links\":{},\"bytes\":{},\"left_out\":{},"
      "\"changed\":{}}}}}\n",
      totals.files, totals.folders, totals.links, totals.bytes, totals.left_out, totals.changed);
}

// Of "\n],"totals":{...}}\n". What is not there in just this form shows when it is written anew.
Result<DataTotals> totals_from(const std::string& end) {
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
  totals.left_out = members.number<std::uint64_t>("left_out", kMost);
  totals.changed = members.number<std::uint64_t>("changed", kMost);
  TRY(members.finish());
  TRY(outer.finish());
  return totals;
}

// A name is taken by nobody, and what it holds is gone with its descriptor.
Result<base::os::Fd> nameless_file(const std::string& beside) {
  const std::string folder = beside.substr(0, beside.rfind('/') + 1);
  auto file = base::os::open_file(folder, O_RDWR | O_TMPFILE, 0600);
  if (file || file.error().code != Code::NotSupported) return file;
  return base::os::memory_file("contents", "");
}

}  // namespace

struct DataContents::State {
  base::os::Fd file;
  std::string waiting = beginning();  // not written yet
  std::uint64_t size = 0;             // of the file
  bool any = false;                   // entries
  // For piece() and compare().
  std::uint64_t at = 0;
  std::string ours;     // read and not yet compared, from `at` on
  std::string current;  // the line that is being compared, as far as it was
  std::string end;      // of theirs, beyond what is ours

  Result<void> flush() {
    TRY(base::os::write_all(file.get(), waiting));
    size += waiting.size();
    waiting.clear();
    return {};
  }

  base::Failure differs() {
    std::string rest = base::os::read_at(file.get(), at - ours.size(), kPiece).value_or("");
    if (rest.starts_with(kNextLine)) {  // all of this line was right, and the next one is missing
      current.clear();
      rest.erase(0, kNextLine.size());
    }
    current += rest.substr(0, rest.find('\n'));
    constexpr std::string_view kPath = "{\"path\":\"";
    std::string name = current.starts_with(kPath) ? current.substr(kPath.size()) : current;
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

Result<std::unique_ptr<DataContents>> DataContents::open(const std::string& beside) {
  auto state = std::make_unique<State>();
  TRY_ASSIGN(state->file, nameless_file(beside));
  return std::unique_ptr<DataContents>(new DataContents(std::move(state)));
}

Result<void> DataContents::add(const DataEntry& entry, const DataDigest& digest) {
  state_->waiting += state_->any ? kNextLine : "\n";
  state_->waiting += line_of(entry, digest);
  state_->any = true;
  if (state_->waiting.size() < kPiece) return {};
  return state_->flush();
}

Result<std::uint64_t> DataContents::finish(const DataTotals& totals) {
  state_->waiting += ending(totals);
  TRY(state_->flush());
  return state_->size;
}

Result<std::string> DataContents::piece() {
  TRY_ASSIGN(std::string bytes, base::os::read_at(state_->file.get(), state_->at, kPiece));
  state_->at += bytes.size();
  return bytes;
}

Result<void> DataContents::compare(std::string_view theirs) {
  State& state = *state_;
  if (!state.waiting.empty()) TRY(state.flush());
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
  TRY(compare({}));
  if (!state_->ours.empty() || state_->at < state_->size) return state_->differs();
  const auto theirs = totals_from(state_->end);
  if (theirs) {
    counted.left_out = theirs->left_out;
    counted.changed = theirs->changed;
  }
  if (theirs && ending(counted) == state_->end) return {};
  return base::fail_with_advice(
      Code::InvalidArgument,
      fmt::format("the archive is damaged: its contents.json {}",
                  theirs ? "has other totals" : "ends otherwise than it holds"),
      "Use another copy of the export");
}

}  // namespace granary::wire

#include "wire/data_tar.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/left_out.h"

namespace granary::wire {
namespace {

using base::Result;

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameField = 100;
constexpr std::uint64_t kMostOctal = (1ULL << 33) - 1;  // in eleven digits
constexpr std::size_t kPiece = 64U << 10;

// Where the fields of a header are, by POSIX.1-1988.
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, kNameField};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLink{157, kNameField};
constexpr Field kMagic{257, 8};

class Header final {
 public:
  Header(char type, std::string_view name, mode_t mode, std::uint64_t size) {
    text(kType, {&type, 1});
    text(kName, name);
    octal(kMode, mode);
    octal(kUid, 0);
    octal(kGid, 0);
    octal(kSize, std::min(size, kMostOctal));
    octal(kTime, 0);
    text(kMagic, std::string_view("ustar\00000", 8));
  }
  void text(Field field, std::string_view bytes) {
    std::ranges::copy(bytes.substr(0, field.size), block_.begin() + field.at);
  }
  void octal(Field field, std::uint64_t number) {
    text(field, fmt::format("{:0{}o}", number, field.size - 1));
  }
  // With its checksum, for which that field counts as spaces.
  std::string_view finished() {
    text(kChecksum, std::string(kChecksum.size, ' '));
    unsigned sum = 0;
    for (const char c : block_) sum += static_cast<unsigned char>(c);
    text(kChecksum, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return {block_.data(), block_.size()};
  }

 private:
  std::array<char, kBlock> block_{};
};

// "LENGTH KEY=VALUE\n", where the length counts its own digits.
std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (length != rest + std::to_string(length).size())
    length = rest + std::to_string(length).size();
  std::string text = fmt::format("{} {}=", length, key);
  text.append(value);
  return text + "\n";
}

bool is_plain(std::string_view name) {
  return name.size() <= kNameField &&
         std::ranges::all_of(name, [](char c) { return c >= ' ' && c < 0x7f; });
}

// The name of what describes an entry, which readers that know pax never see.
std::string described_name(const std::string& name) {
  const std::size_t slash = name.rfind('/') + 1;
  std::string described = name.substr(0, slash) + "PaxHeader/" + name.substr(slash);
  return is_plain(described) ? described : "PaxHeader/entry";
}

char type_of(DataKind kind) {
  switch (kind) {
    case DataKind::File:
      return '0';
    case DataKind::HardLink:
      return '1';
    case DataKind::Link:
      return '2';
    case DataKind::Folder:
      return '5';
  }
  return '0';
}

std::string attribute_key(std::string_view name) {
  std::string escaped = base::percent_escaped(name);
  for (std::size_t at = 0; (at = escaped.find('=', at)) != std::string::npos;)
    escaped.replace(at, 1, "%3D");
  return "SCHILY.xattr." + escaped;
}

// As libarchive has times: whole seconds, rounded down, then what is to be added to them.
std::string time_text(const DataEntry& entry) {
  return fmt::format("{}.{:09}", entry.mtime_seconds, entry.mtime_nanoseconds);
}

bool is_whole(std::span<const DataSegment> segments, std::uint64_t size) {
  if (size == 0) return true;
  return segments.size() == 1 && segments[0].offset == 0 && segments[0].length == size;
}

std::size_t digits(std::uint64_t number) { return std::to_string(number).size(); }

std::uint64_t padded(std::uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

std::uint64_t map_size(std::span<const DataSegment> map) {
  std::uint64_t size = digits(map.size()) + 1;
  for (const DataSegment& segment : map)
    size += digits(segment.offset) + digits(segment.length) + 2;
  return padded(size);
}

std::uint64_t stored(std::span<const DataSegment> segments) {
  std::uint64_t bytes = 0;
  for (const DataSegment& segment : segments) bytes += segment.length;
  return bytes;
}

std::string records_of(const DataEntry& entry, const std::string& name, const std::string& target,
                       std::uint64_t body, bool sparse) {
  std::string records = record("hdrcharset", "BINARY");
  if (!sparse && !is_plain(name)) records += record("path", name);
  if (!is_plain(target)) records += record("linkpath", target);
  if (body > kMostOctal) records += record("size", std::to_string(body));
  records += record("mtime", time_text(entry));
  for (const auto& [attribute, value] : entry.attributes)
    records += record(attribute_key(attribute), value);
  if (!sparse) return records;
  records += record("GNU.sparse.major", "1");
  records += record("GNU.sparse.minor", "0");
  records += record("GNU.sparse.name", name);
  return records + record("GNU.sparse.realsize", std::to_string(entry.size));
}

}  // namespace

Result<void> DataTar::body(std::string_view bytes) {
  written_ += bytes.size();
  return out_.write(bytes);
}

Result<void> DataTar::pad() {
  static constexpr std::array<char, kBlock> kZeros{};
  return body(std::string_view(kZeros.data(), padded(written_) - written_));
}

Result<void> DataTar::begin(const DataEntry& entry, const std::string& name,
                            std::span<const DataSegment> segments) {
  const bool sparse = entry.kind == DataKind::File && !is_whole(segments, entry.size);
  std::vector<DataSegment> map;
  if (sparse) {
    map.assign(segments.begin(), segments.end());
    const std::uint64_t end = map.empty() ? 0 : map.back().offset + map.back().length;
    if (end < entry.size) map.push_back({entry.size, 0});  // it ends in a hole
  }
  const std::string full = entry.kind == DataKind::Folder ? name + "/" : name;
  const std::string target = entry.kind == DataKind::HardLink
                                 ? name_in_archive(entry.target_part, entry.target)
                                 : entry.target;
  const std::uint64_t size = sparse ? map_size(map) + stored(segments) : stored(segments);
  const std::string records = records_of(entry, full, target, size, sparse);
  Header described('x', described_name(name), 0644, records.size());
  TRY(body(described.finished()));
  TRY(body(records));
  TRY(pad());
  Header header(type_of(entry.kind), sparse ? "GNUSparseFile.0/file" : full, entry.mode, size);
  header.text(kLink, target);
  TRY(body(header.finished()));
  return sparse ? write_map(map) : Result<void>();
}

Result<void> DataTar::write_map(std::span<const DataSegment> map) {
  std::string text = fmt::format("{}\n", map.size());
  for (const DataSegment& segment : map) {
    text += fmt::format("{}\n{}\n", segment.offset, segment.length);
    if (text.size() < kPiece) continue;
    TRY(body(text));
    text.clear();
  }
  TRY(body(text));
  return pad();
}

Result<void> DataTar::end() { return pad(); }

Result<void> DataTar::finish() {
  const std::string end(2 * kBlock, '\0');
  return body(end);
}

}  // namespace granary::wire

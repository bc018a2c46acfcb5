#include "agent/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "agent/limits.h"
#include "agent/log_writer.h"
#include "base/check.h"
#include "base/os/file.h"
#include "base/os/syscall.h"
#include "base/text.h"

namespace granary::agent {
namespace {

using base::Result;
using base::ServiceId;
using base::os::Fd;

constexpr std::string_view kInitTag = "sys";  // init/README.md
constexpr std::string_view kHead = "#granary-log ";
constexpr std::size_t kHeadBytes = 34;  // with its number of 20 digits and its newline
constexpr std::uint64_t kOffsetBits = 32;
constexpr std::uint64_t kOffsetMask = (1ULL << kOffsetBits) - 1;

struct Half {
  int half = 0;
  std::uint64_t number = 0;
  Fd fd;
};

// 0 when it is no head.
std::uint64_t parse_head(std::string_view text) {
  if (text.size() < kHeadBytes || !text.starts_with(kHead)) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + kHead.size(), text.data() + kHeadBytes - 1, number);
  return number;
}

// The ring's files that have a head, older first.
std::vector<Half> open_ring(const wire::Paths& paths, const ServiceId& service) {
  std::vector<Half> ring;
  for (int half = 0; half < 2; ++half) {
    auto fd = base::os::open_file(paths.log(service, half), O_RDONLY | O_NOFOLLOW, 0);
    if (!fd) continue;
    const auto head = base::os::read_at(fd->get(), 0, kHeadBytes);
    const std::uint64_t number = head ? parse_head(*head) : 0;
    if (number != 0) ring.push_back({half, number, std::move(*fd)});
  }
  if (ring.size() == 2 && ring[0].number > ring[1].number) std::swap(ring[0], ring[1]);
  return ring;
}

// `2026-11-24T07:13:00.123Z TAG TEXT`: the tag's place.
struct Tag {
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::optional<Tag> tag_of(std::string_view line) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return Tag{first + 1, second};
}

// A further piece of a line that was too long is joined to the last one of its stream.
void add_line(std::vector<std::string>& lines, std::string_view line) {
  const auto tag = tag_of(line);
  const bool continued = tag && tag->end > tag->begin && line[tag->end - 1] == '+';
  if (continued && !lines.empty()) {
    const std::string_view stream = line.substr(tag->begin, tag->end - 1 - tag->begin);
    const auto last = tag_of(lines.back());
    if (last &&
        std::string_view(lines.back()).substr(last->begin, last->end - last->begin) == stream) {
      lines.back().append(line.substr(tag->end + 1));
      return;
    }
  }
  lines.emplace_back(line);
}

// Whole lines of one file from `offset`; moves it behind them.
Result<void> read_half(const Half& half, std::uint64_t& offset, std::size_t room,
                       std::vector<std::string>& lines) {
  offset = std::max<std::uint64_t>(offset, kHeadBytes);
  TRY_ASSIGN(const std::string block, base::os::read_at(half.fd.get(), offset, room));
  // The file may have been emptied and begun anew meanwhile: then this is not what was asked for.
  TRY_ASSIGN(const std::string head, base::os::read_at(half.fd.get(), 0, kHeadBytes));
  if (parse_head(head) != half.number) return {};
  std::string_view rest = block;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    add_line(lines, rest.substr(0, end));  // pieces of one line; bytes, until all are joined
    rest.remove_prefix(end + 1);
  }
  offset += block.size() - rest.size();
  return {};
}

bool is_said_by(Speaker speaker, std::string_view line) {
  const auto tag = tag_of(line);
  if (!tag) return false;
  const std::string_view name = line.substr(tag->begin, tag->end - tag->begin);
  if (name == kRequestTag) return false;
  return speaker == Speaker::AppAndInit || !name.starts_with(kInitTag);
}

std::size_t bytes_of(const std::vector<std::string>& lines) {
  std::size_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size() + 1;
  return bytes;
}

}  // namespace

Result<LogLines> read_log(const wire::Paths& paths, const ServiceId& service,
                          std::uint64_t cursor) {
  LogLines found;
  found.cursor = cursor;
  const std::uint64_t number = cursor >> kOffsetBits;
  for (const Half& half : open_ring(paths, service)) {
    if (half.number < number) continue;
    const std::size_t used = bytes_of(found.lines);
    if (used >= kMaxLogChunk) break;
    std::uint64_t offset = half.number == number ? cursor & kOffsetMask : 0;
    TRY(read_half(half, offset, kMaxLogChunk - used, found.lines));
    found.cursor = half.number << kOffsetBits | offset;
  }
  // What an app writes is not to be trusted to be text, and this goes on as JSON.
  for (std::string& line : found.lines) line = base::as_utf8(line);
  return found;
}

std::string first_log_head() {
  std::string head = fmt::format("{}{:020}\n", kHead, 1);
  ASSERT(head.size() == kHeadBytes);
  return head;
}

std::optional<int> newer_half(const wire::Paths& paths, const ServiceId& service) {
  const auto ring = open_ring(paths, service);
  if (ring.empty()) return std::nullopt;
  return ring.back().half;
}

std::uint64_t log_end(const wire::Paths& paths, const ServiceId& service) {
  const auto ring = open_ring(paths, service);
  struct stat status{};
  if (ring.empty() || ::fstat(ring.back().fd.get(), &status) != 0) return 0;
  return ring.back().number << kOffsetBits | static_cast<std::uint64_t>(status.st_size);
}

std::string last_words(const wire::Paths& paths, const ServiceId& service, std::uint64_t since,
                       Speaker speaker) {
  auto ring = open_ring(paths, service);
  if (ring.empty() || ring.back().number < since >> kOffsetBits) return "";
  struct stat status{};
  if (::fstat(ring.back().fd.get(), &status) != 0) return "";
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool in_this_file = ring.back().number == since >> kOffsetBits;
  const std::uint64_t begin = in_this_file ? since & kOffsetMask : 0;
  const std::uint64_t from = size > 2 * kFailureBytes ? size - 2 * kFailureBytes : 0;
  std::uint64_t offset = std::max(from, begin);
  std::vector<std::string> lines;
  if (!read_half(ring.back(), offset, 2 * kFailureBytes, lines)) return "";
  // The first one begins in its middle.
  if (from > std::max<std::uint64_t>(kHeadBytes, begin) && !lines.empty())
    lines.erase(lines.begin());
  std::erase_if(lines, [speaker](const std::string& line) { return !is_said_by(speaker, line); });
  const std::size_t first = lines.size() - std::min(lines.size(), kFailureLines);
  std::string words;
  for (std::size_t i = first; i < lines.size(); ++i)
    words += (words.empty() ? "" : " | ") + lines[i].substr(tag_of(lines[i])->end + 1);
  if (words.size() > kFailureBytes) words.erase(0, words.size() - kFailureBytes);
  return base::as_utf8(words);
}

}  // namespace granary::agent

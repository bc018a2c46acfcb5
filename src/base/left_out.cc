#include "base/left_out.h"

#include <algorithm>

namespace granary::base {
namespace {

struct Words {
  const char* member;
  const char* one;
  const char* many;
};
// In the order of LeftOutKind.
constexpr std::array<Words, kLeftOutKinds> kWords{{
    {"sockets", "{} socket", "{} sockets"},
    {"fifos", "{} fifo", "{} fifos"},
    {"devices", "{} device node", "{} device nodes"},
    {"set_id_bits", "set-uid bits of {} file", "set-uid bits of {} files"},
    {"attributes", "attributes of {} file", "attributes of {} files"},
    {"other_users", "other users in the access lists of {} file",
     "other users in the access lists of {} files"},
    {"unreadable", "{} unreadable file", "{} unreadable files"},
    {"too_long", "{} file longer than 16 TiB", "{} files longer than 16 TiB"},
}};
constexpr const char* kFirst = "first";

// The end of a path tells more than its beginning.
std::string shortened(std::string text) {
  constexpr std::string_view kCut = "...";
  if (text.size() <= kLeftOutNameBytes) return text;
  return text.replace(0, text.size() - kLeftOutNameBytes + kCut.size(), kCut);
}

bool is_shown(std::string_view name) {
  return !name.empty() && name.size() <= kLeftOutNameBytes && std::ranges::all_of(name, [](char c) {
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
  });
}

}  // namespace

std::string percent_escaped(std::string_view bytes) {
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

void LeftOut::add(LeftOutKind kind, std::string_view path) {
  ++counts[static_cast<std::size_t>(kind)];
  if (first.size() == kLeftOutNames) return;
  // A name of this many bytes is as long when it is escaped, or longer.
  const std::size_t cut = path.size() - std::min(path.size(), kLeftOutNameBytes + 1);
  std::string name = shortened(percent_escaped(path.substr(cut)));
  if (name.empty()) name = ".";
  if (std::ranges::find(first, name) == first.end()) first.push_back(std::move(name));
}

bool LeftOut::empty() const {
  return std::ranges::all_of(counts, [](std::uint64_t count) { return count == 0; });
}

std::string describe(const LeftOut& left_out) {
  std::string text;
  for (std::size_t i = 0; i < kLeftOutKinds; ++i) {
    const std::uint64_t count = left_out.counts[i];
    if (count == 0) continue;
    text += text.empty() ? "" : ", ";
    text += fmt::format(fmt::runtime(count == 1 ? kWords[i].one : kWords[i].many), count);
  }
  if (text.empty() || left_out.first.empty()) return text;
  return text + fmt::format(" (first: {})", fmt::join(left_out.first, ", "));
}

json::object to_json(const LeftOut& left_out) {
  json::object document;
  for (std::size_t i = 0; i < kLeftOutKinds; ++i) {
    if (left_out.counts[i] > 0) document[kWords[i].member] = left_out.counts[i];
  }
  if (!left_out.first.empty()) document[kFirst] = json::from_strings(left_out.first);
  return document;
}

Result<LeftOut> left_out_from(const json::object& from) {
  LeftOut left_out;
  for (const auto& member : from) {
    const std::string name(member.key());
    const auto* const words =
        std::ranges::find_if(kWords, [&](const Words& each) { return each.member == name; });
    if (words != kWords.end()) {
      TRY_ASSIGN(const std::int64_t count, json::get_int(from, name));
      if (count <= 0) return fail(Code::InvalidArgument, "member '{}' must be above zero", name);
      left_out.counts[static_cast<std::size_t>(words - kWords.begin())] =
          static_cast<std::uint64_t>(count);
    } else if (name == kFirst) {
      TRY_ASSIGN(left_out.first, json::get_strings(from, name));
    } else {
      return fail(Code::InvalidArgument, "member '{}' is unknown", name);
    }
  }
  if (left_out.first.size() > kLeftOutNames || !std::ranges::all_of(left_out.first, is_shown))
    return fail(Code::InvalidArgument, "member '{}' must be a few short names", kFirst);
  return left_out;
}

}  // namespace granary::base

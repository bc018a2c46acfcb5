#include "walls/knowledge.h"

#include <cstdlib>

#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kDefaultDataDir = "/var/lib/granary";
constexpr std::string_view kEtcOfPlatform = "/run/etc";  // below the data folder

// Of a line of mountinfo: ID PARENT MAJOR:MINOR ROOT TARGET...
std::string discovered_data_dir() {
  for (const std::string& line : lines_of(read_text("/proc/self/mountinfo"))) {
    const std::vector<std::string> fields = words_of(line);
    if (fields.size() < 5 || fields[4] != "/etc" || !fields[3].ends_with(kEtcOfPlatform)) continue;
    return fields[3].substr(0, fields[3].size() - kEtcOfPlatform.size());
  }
  return kDefaultDataDir;
}

}  // namespace

Knowledge Knowledge::parse(std::string_view text) {
  Knowledge known;
  for (const std::string& line : lines_of(text)) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos && equals > 0)
      known.set(line.substr(0, equals), line.substr(equals + 1));
  }
  return known;
}

const std::string* Knowledge::find(std::string_view key) const {
  for (const auto& [name, value] : values_) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string Knowledge::get(std::string_view key) const {
  const std::string* value = find(key);
  return value == nullptr ? "" : *value;
}

long Knowledge::number(std::string_view key, long otherwise) const {
  const std::string* value = find(key);
  return value == nullptr || value->empty() ? otherwise : std::strtol(value->c_str(), nullptr, 10);
}

void Knowledge::set(std::string_view key, std::string_view value) {
  for (auto& [name, known] : values_) {
    if (name == key) {
      known = value;
      return;
    }
  }
  values_.emplace_back(key, value);
}

std::string Knowledge::lines() const {
  std::string text;
  for (const auto& [name, value] : values_)
    text.append(name).append("=").append(value).append("\n");
  return text;
}

std::string Knowledge::data_dir() const {
  const std::string told = get("data_dir");
  return told.empty() ? discovered_data_dir() : told;
}

std::string Knowledge::victim(std::string_view below) const {
  return data("/accounts/" + (has("victim") ? get("victim") : "victim") + std::string(below));
}

}  // namespace granary::walls

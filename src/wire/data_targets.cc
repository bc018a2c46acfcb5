#include "base/check.h"
#include "wire/data_sink.h"

namespace granary::wire {

using base::Result;
using base::os::Folder;

namespace {

// Links of one folder mostly lead into one other; the rest is for parts on the way.
constexpr std::size_t kKept = 16;

}  // namespace

void DataTargets::add_part(std::uint64_t number, std::uint64_t in_part, std::string path) {
  parts_.push_back({in_part, std::move(path)});
  INVARIANT(number == parts_.size());
}

const Folder* DataTargets::kept(const Place& place) {
  const auto found = std::ranges::find(kept_, place, &Kept::place);
  if (found == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found);
  return &kept_.front().folder;
}

Result<const Folder*> DataTargets::open(const Folder& from, const Place& place) {
  TRY_ASSIGN(Folder folder, from.again());
  for (std::string_view rest = place.path; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    TRY_ASSIGN(folder, folder.open_folder(std::string(rest.substr(0, slash))));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  if (kept_.size() == kKept) kept_.pop_back();
  kept_.push_front({place, std::move(folder)});
  return &kept_.front().folder;
}

Result<const Folder*> DataTargets::folder(std::uint64_t part, const std::string& path) {
  // Up to what is open, or to the root; then down again.
  std::vector<Place> below{{part, path}};
  const Folder* from = kept(below.back());
  while (from == nullptr && below.back().part != 0) {
    const Place own{below.back().part, ""};
    if (below.back() != own) {
      below.push_back(own);
    } else {
      INVARIANT(own.part <= parts_.size());
      below.push_back(parts_[own.part - 1]);
    }
    from = kept(below.back());
  }
  if (from == nullptr) {
    from = &root_;
  } else {
    below.pop_back();
  }
  while (!below.empty()) {
    const Place next = std::move(below.back());
    below.pop_back();
    TRY_ASSIGN(from, open(*from, next));
  }
  return from;
}

}  // namespace granary::wire

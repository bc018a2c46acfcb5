#include "egress/egress_log.h"

#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/os/file.h"
#include "egress/limits.h"

namespace granary::egress {
namespace {

using base::Task;

struct Batch {
  std::string path;
  std::string lines;
};

// One word: what is no visible ASCII, and what would be taken for the end of the word, is escaped.
void add_word(std::string& line, std::string_view text) {
  line += ' ';
  if (text.empty()) line += '-';
  for (const char c : text.substr(0, kLoggedTarget)) {
    if (c > ' ' && c < 0x7f && c != '\\') {
      line += c;
    } else {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > kLoggedTarget) line += "...";
}

base::Result<void> append(const Batch& batch) {
  TRY_ASSIGN(const std::uint64_t size, base::os::append_file(batch.path, batch.lines, 0600));
  if (size >= kLogFile) TRY(base::os::rename_file(batch.path, batch.path + ".1"));
  return {};
}

bool write(const std::vector<Batch>& batches) {
  bool well = true;
  for (const Batch& batch : batches) {
    const auto written = append(batch);
    if (written) continue;
    well = false;
    base::log::warn("egress log: {}", base::describe(written.error()));
  }
  return well;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::Closed:
      return "closed";
    case Outcome::Broken:
      return "broken";
    case Outcome::Idle:
      return "idle";
    case Outcome::Cut:
      return "cut";
    case Outcome::Stopped:
      return "stopped";
    case Outcome::BadRequest:
      return "bad-request";
    case Outcome::NotDeclared:
      return "not-declared";
    case Outcome::AddressRefused:
      return "address-refused";
    case Outcome::TooMany:
      return "too-many";
    case Outcome::Unresolved:
      return "unresolved";
    case Outcome::Unreachable:
      return "unreachable";
  }
  return {};
}

void EgressLog::add(const base::AccountId& account, std::uint32_t ordinal, const LogEntry& entry) {
  if (wire::contains(gone_, ordinal)) return;
  Pending& pending = pending_[ordinal];
  pending.account = account.value;
  if (bytes_ >= kLogPending || pending.lines.size() >= kLogPendingEach) {
    ++pending.dropped;
    ++dropped_;
    return;
  }
  const std::size_t before = pending.lines.size();
  std::string& line = pending.lines;
  line += base::to_rfc3339(parts_.clock.wall());
  add_word(line, entry.target);
  add_word(line, entry.address);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(entry.took).count();
  fmt::format_to(std::back_inserter(line), " {} {} {}.{:03} {}\n", entry.bytes_up, entry.bytes_down,
                 millis / 1000, millis % 1000, to_string(entry.outcome));
  bytes_ += line.size() - before;
}

void EgressLog::forget(const wire::OrdinalRanges& gone) {
  if (gone == gone_) return;
  gone_ = gone;
  removing_ = true;
  for (auto pending = pending_.begin(); pending != pending_.end();) {
    if (!wire::contains(gone, pending->first)) {
      ++pending;
      continue;
    }
    bytes_ -= pending->second.lines.size();
    pending = pending_.erase(pending);
  }
}

Task<void> EgressLog::run() {
  while (co_await parts_.timer.sleep(kLogPause)) co_await flush();
}

Task<void> EgressLog::flush() {
  std::vector<Batch> batches;
  std::size_t bytes = 0;
  for (auto& [ordinal, pending] : pending_) {
    bytes += pending.lines.size();
    if (pending.dropped > 0)
      fmt::format_to(std::back_inserter(pending.lines), "{} - - 0 0 0.000 {}-lines-dropped\n",
                     base::to_rfc3339(parts_.clock.wall()), pending.dropped);
    batches.push_back({parts_.paths.egress_log(base::AccountId(pending.account), ordinal),
                       std::move(pending.lines)});
  }
  pending_.clear();
  if (!batches.empty())
    (void)co_await base::run_on(parts_.worker, [all = std::move(batches)] { return write(all); });
  bytes_ -= bytes;
  co_await remove_gone();
}

// Behind the writing: no line that was on its way makes a file anew.
Task<void> EgressLog::remove_gone() {
  if (!std::exchange(removing_, false)) co_return;
  const auto removed = co_await base::run_on(
      parts_.worker,
      [folder = parts_.paths.egress(), gone = gone_] { return wire::remove_logs(folder, gone); });
  if (removed) co_return;
  removing_ = true;
  base::log::warn("egress logs of accounts that are no more: {}", base::describe(removed.error()));
}

}  // namespace granary::egress

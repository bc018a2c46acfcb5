#include "gateway/access_log.h"

#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/os/file.h"
#include "gateway/limits.h"

namespace granary::gateway {
namespace {

// Within quotes. Targets and methods hold visible ASCII alone (request_parser.h).
void add_quoted(std::string& line, std::string_view text) {
  for (const char c : text.substr(0, kLoggedTarget)) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  if (text.size() > kLoggedTarget) line += "...";
}

base::Result<void> append(const std::string& path, std::string_view lines) {
  TRY_ASSIGN(const std::uint64_t size, base::os::append_file(path, lines, 0600));
  if (size >= kLogFile) TRY(base::os::rename_file(path, path + ".1"));
  return {};
}

}  // namespace

void AccessLog::add(const base::AccountId& account, std::uint32_t ordinal,
                    const AccessEntry& entry) {
  if (bytes_ >= kLogPending) {
    ++dropped_;
    return;
  }
  if (!gone_.empty() && wire::contains(gone_, ordinal)) return;
  Pending& pending = pending_[ordinal];
  std::string& lines = pending.lines;
  const std::size_t before = lines.size();
  if (before == 0) pending.account = account.value;
  add_time(lines, entry.ended);
  lines.append(" ").append(entry.client).append(" ").append(entry.host).append(" \"");
  add_quoted(lines, entry.method);
  lines += ' ';
  add_quoted(lines, entry.target);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(entry.ended - entry.began);
  fmt::format_to(std::back_inserter(lines), " HTTP/1.1\" {} {} {}.{:03} {}\n", entry.status,
                 entry.bytes, micros.count() / 1'000'000, micros.count() / 1000 % 1000,
                 entry.request_id);
  bytes_ += lines.size() - before;
}

// The wall clock is read once a second; in between, the exact clock moves it on.
void AccessLog::add_time(std::string& line, base::BootTime at) {
  const base::BootTime since = at - second_began_;
  if (second_.empty() || since < base::BootTime(0) || since >= std::chrono::seconds(1)) {
    const base::WallTime wall =
        parts_.clock.wall() -
        std::chrono::duration_cast<std::chrono::microseconds>(parts_.clock.boot() - at);
    const auto second = std::chrono::floor<std::chrono::seconds>(wall);
    second_began_ = at - (wall - second);
    second_ = base::to_rfc3339(second);
    second_.resize(second_.find_first_of(".Z"));
  }
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(at - second_began_);
  fmt::format_to(std::back_inserter(line), "{}.{:03}Z", second_, millis.count());
}

void AccessLog::forget(const wire::OrdinalRanges& gone) {
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

base::Task<void> AccessLog::run() {
  for (;;) {
    if (!co_await parts_.timer.sleep(kLogPause)) co_return;
    co_await flush();
  }
}

base::Task<void> AccessLog::flush() {
  std::vector<Batch> batches;
  std::size_t bytes = 0;
  for (auto& [ordinal, pending] : pending_) {
    bytes += pending.lines.size();
    batches.push_back({parts_.paths.access_log(base::AccountId(pending.account), ordinal),
                       std::move(pending.lines)});
  }
  pending_.clear();
  if (!batches.empty())
    co_await base::run_on(parts_.worker, [all = std::move(batches)] {
      write(all);
      return true;
    });
  bytes_ -= bytes;
  co_await remove_gone();
}

// Behind the writing: no line that was on its way makes a file anew.
base::Task<void> AccessLog::remove_gone() {
  if (!std::exchange(removing_, false)) co_return;
  const auto removed = co_await base::run_on(
      parts_.worker,
      [folder = parts_.paths.access(), gone = gone_] { return wire::remove_logs(folder, gone); });
  if (removed) co_return;
  removing_ = true;
  base::log::warn("access logs of accounts that are no more: {}", describe(removed.error()));
}

void AccessLog::write(const std::vector<Batch>& batches) {
  for (const Batch& batch : batches) {
    if (auto written = append(batch.path, batch.lines); !written)
      base::log::warn("access log: {}", describe(written.error()));
  }
}

}  // namespace granary::gateway

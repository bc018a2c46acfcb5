#include "agent/init/log_ring.h"

#include <cstring>

#include "agent/init/text.h"

namespace granary::init {
namespace {

constexpr std::string_view kMagic = "#granary-log ";
constexpr std::size_t kSequenceDigits = 20;  // any 64-bit number
static_assert(kMagic.size() + kSequenceDigits + 1 == kHeaderBytes);

void put_digits(char* into, std::size_t count, std::uint64_t number) {
  for (std::size_t i = count; i > 0; --i) {
    into[i - 1] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
}

std::uint64_t read_sequence(LogFile& file) {
  std::array<char, kHeaderBytes> header;
  const long count = file.read_at(header, 0);
  if (count != static_cast<long>(header.size())) return 0;
  return parse_header({header.data(), header.size()});
}

}  // namespace

void format_time(WallTime time, std::span<char, kTimeBytes> into) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::memcpy(into.data(), "0000-00-00T00:00:00.000Z", kTimeBytes);
  put_digits(into.data(), 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put_digits(into.data() + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(into.data() + 8, 2, static_cast<unsigned>(date.day()));
  put_digits(into.data() + 11, 2, static_cast<std::uint64_t>(clock.hours().count()));
  put_digits(into.data() + 14, 2, static_cast<std::uint64_t>(clock.minutes().count()));
  put_digits(into.data() + 17, 2, static_cast<std::uint64_t>(clock.seconds().count()));
  put_digits(into.data() + 20, 3, static_cast<std::uint64_t>(clock.subseconds().count()));
}

void format_header(std::uint64_t sequence, std::span<char, kHeaderBytes> into) {
  std::memcpy(into.data(), kMagic.data(), kMagic.size());
  put_digits(into.data() + kMagic.size(), kSequenceDigits, sequence);
  into[kHeaderBytes - 1] = '\n';
}

std::uint64_t parse_header(std::string_view text) {
  if (text.size() != kHeaderBytes || !text.starts_with(kMagic) || !text.ends_with('\n')) return 0;
  const std::string_view digits = text.substr(kMagic.size(), kSequenceDigits);
  std::uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  if (error != std::errc{} || end != digits.data() + digits.size()) return 0;
  return sequence;
}

LogRing::LogRing(LogFile& first, LogFile& second, std::uint64_t limit)
    : files_{&first, &second}, half_(limit / 2) {}

void LogRing::open() {
  const std::uint64_t sequences[2] = {read_sequence(*files_[0]), read_sequence(*files_[1])};
  for (LogFile* file : files_) mend(*file);
  if (sequences[0] == 0 && sequences[1] == 0) return;  // the first line begins the first file
  active_ = sequences[0] >= sequences[1] ? 0 : 1;
  sequence_ = sequences[active_];
  const long size = files_[active_]->size();
  // A file that cannot be measured counts as full: the next line goes to the other one.
  offset_ = size < 0 ? half_ : static_cast<std::uint64_t>(size);
}

// A smaller limit than the last run's cuts the file; a run that was killed while writing leaves
// a line without end.
void LogRing::mend(LogFile& file) {
  long size = file.size();
  if (size <= 0) return;
  if (static_cast<std::uint64_t>(size) > half_) {
    if (file.truncate(half_) < 0) return;
    size = static_cast<long>(half_);
  }
  char last = '\n';
  const auto end = static_cast<std::uint64_t>(size);
  if (file.read_at({&last, 1}, end - 1) != 1 || last == '\n') return;
  file.write_at("\n", end < half_ ? end : end - 1);
}

void LogRing::append(WallTime time, std::string_view tag, std::string_view text) {
  if (dropped_ > 0 && batch_size_ == 0) tell_dropped(time);
  put(time, tag, text);
}

void LogRing::put(WallTime time, std::string_view tag, std::string_view text) {
  text = text.substr(0, kMaxLineBytes);
  const std::size_t need = kTimeBytes + 1 + tag.size() + 1 + text.size() + 1;
  if (batch_size_ + need > batch_.size()) flush();
  if (active_ < 0) open();  // the agent may have begun the first file
  if (active_ < 0 || offset_ + batch_size_ + need > half_) {
    flush();
    if (!rotate()) {
      ++dropped_;
      return;
    }
  }
  char* at = batch_.data() + batch_size_;
  format_time(time, std::span<char, kTimeBytes>(at, kTimeBytes));
  at += kTimeBytes;
  *at++ = ' ';
  std::memcpy(at, tag.data(), tag.size());
  at += tag.size();
  *at++ = ' ';
  std::memcpy(at, text.data(), text.size());
  at[text.size()] = '\n';
  batch_size_ += need;
  ++batch_lines_;
}

void LogRing::flush() {
  if (batch_size_ == 0) return;
  LogFile& file = *files_[active_];
  // The agent appends lines of its own.
  if (const long size = file.size(); size > static_cast<long>(offset_))
    offset_ = static_cast<std::uint64_t>(size);
  const long result = file.write_at({batch_.data(), batch_size_}, offset_);
  if (result < 0) {
    last_error_ = static_cast<int>(-result);
    dropped_ += batch_lines_;
    file.truncate(offset_);  // takes back a part that was written
  } else {
    offset_ += batch_size_;
  }
  batch_size_ = 0;
  batch_lines_ = 0;
}

// Leaves the count as it was if this line cannot be written either.
void LogRing::tell_dropped(WallTime time) {
  const std::uint64_t count = dropped_;
  Text<160> text;
  text << count
       << " lines could not be written here and are lost: " << strerrordesc_np(last_error_);
  put(time, "sys", text.view());
  flush();
  dropped_ = dropped_ > count ? count : 0;
}

// Empties the older file and makes it the active one. False if that failed: then nothing has
// changed but that the older file may be empty, and the next line tries again.
bool LogRing::rotate() {
  const int target = active_ == 0 ? 1 : 0;
  LogFile& file = *files_[target];
  std::array<char, kHeaderBytes> header;
  format_header(sequence_ + 1, header);
  long result = file.truncate(0);
  if (result >= 0) result = file.write_at({header.data(), header.size()}, 0);
  if (result < 0) {
    last_error_ = static_cast<int>(-result);
    return false;
  }
  active_ = target;
  ++sequence_;
  offset_ = kHeaderBytes;
  return true;
}

}  // namespace granary::init

#include "registry/clock_row.h"

#include "base/json.h"

namespace granary::registry {
namespace {

using base::BootTime;
using base::Code;
using base::Result;
using base::TrustedTime;
using base::WallTime;
using base::json::object;
using store::Transaction;

constexpr const char* kName = "clock";
constexpr std::size_t kMaxText = 4U << 10;

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }

object to_json(const TrustedTime& known) {
  object document;
  document["boot_id"] = known.boot_id;
  document["line_wall_us"] = micros(known.line_wall);
  document["line_boot_ns"] = known.line_boot.count();
  document["settled"] = known.line == TrustedTime::Line::Settled ? 1 : 0;
  document["time_us"] = micros(known.time);
  document["wall_us"] = micros(known.wall);
  document["boot_ns"] = known.boot.count();
  document["contradicted"] = known.contradicted ? 1 : 0;
  document["watched_ns"] = known.watched.count();
  if (known.since) document["since_us"] = micros(*known.since);
  return document;
}

Result<WallTime> wall_at(const object& document, const char* name) {
  TRY_ASSIGN(const std::int64_t value, base::json::get_int(document, name));
  return WallTime(std::chrono::microseconds(value));
}

Result<BootTime> boot_at(const object& document, const char* name) {
  TRY_ASSIGN(const std::int64_t value, base::json::get_int(document, name));
  return BootTime(value);
}

Result<TrustedTime> from_json(const object& document) {
  TrustedTime known;
  TRY_ASSIGN(known.boot_id, base::json::get_string(document, "boot_id"));
  TRY_ASSIGN(known.line_wall, wall_at(document, "line_wall_us"));
  TRY_ASSIGN(known.line_boot, boot_at(document, "line_boot_ns"));
  TRY_ASSIGN(const std::int64_t settled, base::json::get_int(document, "settled"));
  known.line = settled != 0 ? TrustedTime::Line::Settled : TrustedTime::Line::AfterBoot;
  TRY_ASSIGN(known.time, wall_at(document, "time_us"));
  TRY_ASSIGN(known.wall, wall_at(document, "wall_us"));
  TRY_ASSIGN(known.boot, boot_at(document, "boot_ns"));
  TRY_ASSIGN(const std::int64_t contradicted, base::json::get_int(document, "contradicted"));
  known.contradicted = contradicted != 0;
  TRY_ASSIGN(known.watched, boot_at(document, "watched_ns"));
  if (document.contains("since_us")) {
    TRY_ASSIGN(known.since, wall_at(document, "since_us"));
  }
  return known;
}

}  // namespace

Result<void> put_trusted_time(Transaction& tx, const TrustedTime& known) {
  TRY(
      tx.exec("INSERT INTO installation (name, value) VALUES (:1, :2) "
              "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
              {std::string(kName), base::json::print(to_json(known))}));
  return {};
}

Result<std::optional<TrustedTime>> find_trusted_time(Transaction& tx) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT value FROM installation WHERE name = :1", {std::string(kName)}));
  if (rows.empty()) return std::nullopt;
  const auto document = base::json::parse_object(rows.front().text(0), kMaxText);
  Result<TrustedTime> known = document ? from_json(*document) : std::unexpected(document.error());
  if (!known)
    return base::fail(Code::DataLoss, "the row of the clock cannot be read: {}",
                      base::describe(known.error()));
  return std::optional(std::move(*known));
}

Result<EndingBetween> count_ending(Transaction& tx, WallTime after, WallTime until) {
  const std::vector<store::Value> between = {micros(after), micros(until)};
  TRY_ASSIGN(const auto archives,
             tx.exec("SELECT count(*) FROM archive WHERE expires > :1 AND expires <= :2", between));
  TRY_ASSIGN(const auto tokens, tx.exec("SELECT count(*) FROM token WHERE revoked IS NULL AND "
                                        "expires > :1 AND expires <= :2",
                                        between));
  return EndingBetween{.archives = static_cast<std::uint64_t>(archives.front().integer(0)),
                       .tokens = static_cast<std::uint64_t>(tokens.front().integer(0))};
}

}  // namespace granary::registry

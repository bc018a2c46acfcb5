#include "egress/usage.h"

#include "base/json.h"
#include "base/log.h"
#include "base/os/file.h"
#include "egress/limits.h"

namespace granary::egress {
namespace {

using base::Code;
using base::Result;
using base::Task;
using base::json::object;

using Table = std::map<std::string, Usage>;

std::string encode(const Table& table) {
  object accounts;
  for (const auto& [account, usage] : table)
    accounts[account] = object{{"bytes_up", usage.bytes_up},
                               {"bytes_down", usage.bytes_down},
                               {"connections", usage.connections},
                               {"refused", usage.refused}};
  return base::json::print(object{{"version", 1}, {"accounts", std::move(accounts)}});
}

Result<std::uint64_t> count(const object& from, std::string_view name) {
  TRY_ASSIGN(const std::int64_t number, base::json::get_int(from, name));
  if (number < 0) return base::fail(Code::DataLoss, "member '{}' is negative", name);
  return static_cast<std::uint64_t>(number);
}

Result<Table> decode(std::string_view text) {
  TRY_ASSIGN(const object from, base::json::parse_object(text, kMaxUsage));
  const object* accounts = base::json::find_object(from, "accounts");
  if (accounts == nullptr) return base::fail(Code::DataLoss, "member 'accounts' is missing");
  Table table;
  for (const auto& member : *accounts) {
    const object* counts = member.value().if_object();
    if (counts == nullptr) return base::fail(Code::DataLoss, "an account is no object");
    Usage& usage = table[std::string(member.key())];
    TRY_ASSIGN(usage.bytes_up, count(*counts, "bytes_up"));
    TRY_ASSIGN(usage.bytes_down, count(*counts, "bytes_down"));
    TRY_ASSIGN(usage.connections, count(*counts, "connections"));
    TRY_ASSIGN(usage.refused, count(*counts, "refused"));
  }
  return table;
}

Result<Table> read(const std::string& file) {
  const auto text = base::os::read_file(file, kMaxUsage);
  if (!text && text.error().code == Code::NotFound) return Table();
  if (!text) return std::unexpected(text.error());
  auto table = decode(*text);
  if (table) return table;
  base::log::error("{} is damaged and put aside: {}", file, base::describe(table.error()));
  TRY(base::os::rename_file(file, file + ".damaged"));
  return Table();
}

}  // namespace

Task<Result<void>> UsageBook::load() {
  CO_TRY_ASSIGN(usage_,
                co_await base::run_on(parts_.worker, [file = file_] { return read(file); }));
  co_return Result<void>();
}

Task<void> UsageBook::run() {
  while (co_await parts_.timer.sleep(kUsagePause)) co_await save();
}

Task<void> UsageBook::save() {
  if (!std::exchange(changed_, false)) co_return;
  const Result<void> saved =
      co_await base::run_on(parts_.worker, [file = file_, text = encode(usage_)] {
        return base::os::replace_file(file, text, 0600, base::os::Durability::Cached);
      });
  if (saved) co_return;
  changed_ = true;
  base::log::warn("the egress usage is not saved: {}", base::describe(saved.error()));
}

}  // namespace granary::egress

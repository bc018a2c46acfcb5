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

using Table = UsageBook::Table;

constexpr int kVersion = 2;

std::string encode(const Table& table) {
  base::json::array accounts;
  for (const auto& [ordinal, row] : table)
    accounts.push_back(object{{"account", row.account},
                              {"ordinal", ordinal},
                              {"bytes_up", row.usage->bytes_up},
                              {"bytes_down", row.usage->bytes_down},
                              {"connections", row.usage->connections},
                              {"refused", row.usage->refused}});
  return base::json::print(object{{"version", kVersion}, {"accounts", std::move(accounts)}});
}

Result<std::uint64_t> count(const object& from, std::string_view name) {
  TRY_ASSIGN(const std::int64_t number, base::json::get_int(from, name));
  if (number < 0) return base::fail(Code::DataLoss, "member '{}' is negative", name);
  return static_cast<std::uint64_t>(number);
}

Result<void> add_row(const base::json::value& from, Table& table) {
  const object* counts = from.if_object();
  if (counts == nullptr) return base::fail(Code::DataLoss, "an account is no object");
  TRY_ASSIGN(const std::uint64_t ordinal, count(*counts, "ordinal"));
  Usage usage;
  TRY_ASSIGN(usage.bytes_up, count(*counts, "bytes_up"));
  TRY_ASSIGN(usage.bytes_down, count(*counts, "bytes_down"));
  TRY_ASSIGN(usage.connections, count(*counts, "connections"));
  TRY_ASSIGN(usage.refused, count(*counts, "refused"));
  TRY_ASSIGN(std::string account, base::json::get_string(*counts, "account"));
  const auto key = static_cast<std::uint32_t>(ordinal);
  if (key != ordinal ||
      !table.emplace(key, UsageBook::Row{std::move(account), std::make_shared<Usage>(usage)})
           .second)
    return base::fail(Code::DataLoss, "member 'ordinal' is too large, or stands twice");
  return {};
}

Result<Table> decode(std::string_view text) {
  TRY_ASSIGN(const object from, base::json::parse_object(text, kMaxUsage));
  TRY_ASSIGN(const std::int64_t version, base::json::get_int(from, "version"));
  if (version != kVersion) return base::fail(Code::DataLoss, "it is of version {}", version);
  const base::json::array* accounts = base::json::find_array(from, "accounts");
  if (accounts == nullptr) return base::fail(Code::DataLoss, "member 'accounts' is missing");
  Table table;
  for (const auto& account : *accounts) TRY(add_row(account, table));
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

std::shared_ptr<Usage> UsageBook::of(const base::AccountId& account, std::uint32_t ordinal) {
  Row& row = usage_[ordinal];
  if (!row.usage) row = {account.value, std::make_shared<Usage>()};
  return row.usage;
}

void UsageBook::forget(const wire::OrdinalRanges& gone) {
  const auto dropped =
      std::erase_if(usage_, [&](const auto& entry) { return wire::contains(gone, entry.first); });
  if (dropped > 0) changed();
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

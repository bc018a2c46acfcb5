#include "registry/archive_row.h"

#include <algorithm>
#include <array>

#include "registry/limits.h"

namespace granary::registry {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using base::WallTime;
using store::Row;
using store::Transaction;

constexpr std::size_t kMaxEnvelope = 4U << 20;
constexpr std::array<std::pair<ArchiveKind, std::string_view>, 3> kKinds = {
    {{ArchiveKind::Export, "export"},
     {ArchiveKind::Final, "final"},
     {ArchiveKind::Upload, "upload"}}};

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
WallTime time_at(const Row& row, std::size_t column) {
  return WallTime(std::chrono::microseconds(row.integer(column)));
}

Result<std::vector<Archive>> select(Transaction& tx, const std::string& where,
                                    std::vector<store::Value> parameters) {
  TRY_ASSIGN(
      const auto rows,
      tx.exec("SELECT id, account, kind, bytes, sha256, created, expires FROM archive " + where,
              std::move(parameters)));
  std::vector<Archive> archives;
  for (const Row& row : rows) {
    Archive archive{.id = row.text(0),
                    .account = AccountId(row.text(1)),
                    .bytes = static_cast<std::uint64_t>(row.integer(3)),
                    .sha256 = row.text(4),
                    .created = time_at(row, 5),
                    .expires = time_at(row, 6)};
    for (const auto& [kind, text] : kKinds) {
      if (text == row.text(2)) archive.kind = kind;
    }
    archives.push_back(std::move(archive));
  }
  return archives;
}

Result<std::vector<Certificate>> certificates(Transaction& tx, const std::string& where,
                                              std::vector<store::Value> parameters) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT operation, account, envelope, created FROM certificate " + where,
                     std::move(parameters)));
  std::vector<Certificate> found;
  for (const Row& row : rows) {
    TRY_ASSIGN(auto envelope, base::json::parse_object(row.text(2), kMaxEnvelope));
    found.push_back({row.text(0), AccountId(row.text(1)), std::move(envelope), time_at(row, 3)});
  }
  return found;
}

}  // namespace

std::string_view to_string(ArchiveKind kind) {
  for (const auto& [known, text] : kKinds) {
    if (known == kind) return text;
  }
  return "export";
}

Result<void> put_archive(Transaction& tx, const Archive& archive) {
  TRY(
      tx.exec("INSERT INTO archive (id, account, kind, bytes, sha256, created, expires) "
              "VALUES (:1, :2, :3, :4, :5, :6, :7) ON CONFLICT (id) DO UPDATE SET "
              "account = excluded.account, kind = excluded.kind, bytes = excluded.bytes, "
              "sha256 = excluded.sha256, created = excluded.created, expires = excluded.expires",
              {archive.id, archive.account.value, std::string(to_string(archive.kind)),
               static_cast<std::int64_t>(archive.bytes), archive.sha256, micros(archive.created),
               micros(archive.expires)}));
  return {};
}

Result<std::optional<Archive>> find_archive(Transaction& tx, const std::string& id) {
  TRY_ASSIGN(auto found, select(tx, "WHERE id = :1", {id}));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Archive>> archives_of(Transaction& tx, const AccountId& account) {
  return select(tx, "WHERE account = :1 ORDER BY id", {account.value});
}

Result<std::vector<Archive>> list_archives(Transaction& tx, const ArchiveFilter& filter) {
  return select(tx,
                fmt::format("WHERE id > :1 AND (account = :2 OR :3 = '') ORDER BY id LIMIT {}",
                            std::min(filter.limit, kMaxPage)),
                {filter.after, filter.account.value, filter.account.value});
}

Result<std::vector<Archive>> expired_archives(Transaction& tx, WallTime now, std::uint32_t limit) {
  return select(
      tx, fmt::format("WHERE expires <= :1 ORDER BY expires LIMIT {}", std::min(limit, kMaxPage)),
      {micros(now)});
}

Result<void> remove_archive(Transaction& tx, const std::string& id) {
  TRY(tx.exec("DELETE FROM archive WHERE id = :1", {id}));
  return {};
}

Result<void> put_certificate(Transaction& tx, const Certificate& certificate) {
  TRY(
      tx.exec("INSERT INTO certificate (operation, account, envelope, created) "
              "VALUES (:1, :2, :3, :4) ON CONFLICT (operation) DO NOTHING",
              {certificate.operation, certificate.account.value,
               base::json::print(certificate.envelope), micros(certificate.created)}));
  return {};
}

Result<std::vector<Certificate>> list_certificates(Transaction& tx, const AccountId& account,
                                                   const std::string& before, std::uint32_t limit) {
  // A ULID sorts before "~".
  return certificates(tx,
                      fmt::format("WHERE operation < :1 AND (account = :2 OR :3 = '') "
                                  "ORDER BY operation DESC LIMIT {}",
                                  std::min(limit, kMaxPage)),
                      {before.empty() ? std::string("~") : before, account.value, account.value});
}

Result<Certificate> get_certificate(Transaction& tx, const std::string& operation) {
  TRY_ASSIGN(auto found, certificates(tx, "WHERE operation = :1", {operation}));
  if (!found.empty()) return std::move(found.front());
  return base::fail_with_advice(Code::NotFound,
                                fmt::format("operation {} left no certificate", operation),
                                "See granary certificate list");
}

}  // namespace granary::registry

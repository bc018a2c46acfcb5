#include "store/store.h"

namespace granary::store {
namespace {

const std::vector<std::string_view> kFirst = {
    "CREATE TABLE installation ("
    "  name text PRIMARY KEY,"
    "  value text NOT NULL)",

    "CREATE TABLE release ("
    "  hash text PRIMARY KEY,"
    "  id text NOT NULL UNIQUE,"
    "  app text NOT NULL,"
    "  manifest text NOT NULL,"
    "  bytes bigint NOT NULL,"
    "  files bigint NOT NULL,"
    "  actor text NOT NULL,"
    "  created bigint NOT NULL)",

    // An account and the tenant (or environment) it belongs to, one row: a tenant has exactly one.
    // `ordinal` is never used again; see ordinal_counter.
    "CREATE TABLE account ("
    "  id text PRIMARY KEY,"
    "  kind text NOT NULL,"
    "  ordinal bigint NOT NULL UNIQUE,"
    "  name text NOT NULL,"
    "  plan text NOT NULL,"
    "  cloud text NOT NULL,"
    "  state text NOT NULL,"
    "  desired_release text REFERENCES release (hash),"
    "  actual_release text REFERENCES release (hash),"
    "  version bigint NOT NULL,"
    "  isolation text NOT NULL,"
    "  health text NOT NULL,"
    "  health_detail text NOT NULL,"
    "  settings text NOT NULL,"
    "  created bigint NOT NULL,"
    "  updated bigint NOT NULL)",
    "CREATE INDEX account_by_state ON account (state, id)",
    "CREATE INDEX account_by_desired ON account (desired_release)",

    "CREATE TABLE account_label ("
    "  account text NOT NULL REFERENCES account (id) ON DELETE CASCADE,"
    "  name text NOT NULL,"
    "  value text NOT NULL,"
    "  PRIMARY KEY (account, name))",

    "CREATE TABLE account_domain ("
    "  domain text PRIMARY KEY,"
    "  account text NOT NULL REFERENCES account (id) ON DELETE CASCADE)",
    "CREATE INDEX domain_by_account ON account_domain (account)",

    "CREATE TABLE ordinal_counter (next bigint NOT NULL)",
    "INSERT INTO ordinal_counter (next) VALUES (1)",

    // A service's place on the activity board. Freed with its account.
    "CREATE TABLE board_slot ("
    "  slot bigint PRIMARY KEY,"
    "  account text NOT NULL REFERENCES account (id) ON DELETE CASCADE,"
    "  service text NOT NULL,"
    "  UNIQUE (account, service))",

    "CREATE TABLE operation ("
    "  id text PRIMARY KEY,"
    "  kind text NOT NULL,"
    "  subject text NOT NULL,"
    "  state text NOT NULL,"
    "  step text NOT NULL,"
    "  attempts bigint NOT NULL,"
    "  input text NOT NULL,"
    "  scratch text NOT NULL,"
    "  error text,"
    "  actor text NOT NULL,"
    "  idempotency_key text UNIQUE,"
    "  created bigint NOT NULL,"
    "  updated bigint NOT NULL,"
    "  next_attempt bigint)",
    "CREATE INDEX operation_by_state ON operation (state, id)",
    "CREATE INDEX operation_by_subject ON operation (subject, id)",

    "CREATE TABLE operation_step ("
    "  operation text NOT NULL REFERENCES operation (id) ON DELETE CASCADE,"
    "  number bigint NOT NULL,"
    "  step text NOT NULL,"
    "  attempt bigint NOT NULL,"
    "  started bigint NOT NULL,"
    "  ended bigint,"
    "  outcome text NOT NULL,"
    "  detail text NOT NULL,"
    "  PRIMARY KEY (operation, number))",

    "CREATE TABLE token ("
    "  id text PRIMARY KEY,"
    "  digest text NOT NULL UNIQUE,"
    "  role text NOT NULL,"
    "  label text NOT NULL,"
    "  created bigint NOT NULL,"
    "  expires bigint,"
    "  revoked bigint)",
};

const std::vector<std::string_view> kLifecycle = {
    "ALTER TABLE account ADD COLUMN pinned bigint NOT NULL DEFAULT 0",
    "ALTER TABLE account ADD COLUMN pinned_until bigint",

    // Who says that the domain is the tenant's: operator, dns, http.
    "ALTER TABLE account_domain ADD COLUMN proof text NOT NULL DEFAULT 'operator'",

    // Domains that a tenant says are its own, not proved yet: any number of tenants may say so.
    "CREATE TABLE domain_claim ("
    "  account text NOT NULL REFERENCES account (id) ON DELETE CASCADE,"
    "  domain text NOT NULL,"
    "  token text NOT NULL,"
    "  created bigint NOT NULL,"
    "  PRIMARY KEY (account, domain))",

    "CREATE TABLE discovery_key ("
    "  name text PRIMARY KEY,"
    "  account text NOT NULL REFERENCES account (id) ON DELETE CASCADE)",
    "CREATE INDEX discovery_by_account ON discovery_key (account, name)",

    "CREATE TABLE plan ("
    "  name text PRIMARY KEY,"
    "  spec text NOT NULL,"
    "  version bigint NOT NULL,"
    "  updated bigint NOT NULL)",
    "INSERT INTO plan (name, spec, version, updated) VALUES ('standard', '{}', 1, 0)",

    // Values are sealed under a key outside of the store. `account` is empty for all accounts.
    "CREATE TABLE secret ("
    "  account text NOT NULL,"
    "  name text NOT NULL,"
    "  sealed text NOT NULL,"
    "  actor text NOT NULL,"
    "  updated bigint NOT NULL,"
    "  PRIMARY KEY (account, name))",

    // Archives that lie in the folder of archives. They may outlive their account by a little.
    "CREATE TABLE archive ("
    "  id text PRIMARY KEY,"
    "  account text NOT NULL,"
    "  kind text NOT NULL,"
    "  bytes bigint NOT NULL,"
    "  sha256 text NOT NULL,"
    "  created bigint NOT NULL,"
    "  expires bigint NOT NULL)",
    "CREATE INDEX archive_by_account ON archive (account, id)",

    // What was destroyed, signed: kept for good.
    "CREATE TABLE certificate ("
    "  operation text PRIMARY KEY,"
    "  account text NOT NULL,"
    "  envelope text NOT NULL,"
    "  created bigint NOT NULL)",
    "CREATE INDEX certificate_by_account ON certificate (account, operation)",

    // Only ever appended to. `hash` covers the row and the hash of the one before it.
    "CREATE TABLE audit ("
    "  number bigint PRIMARY KEY,"
    "  at bigint NOT NULL,"
    "  actor text NOT NULL,"
    "  action text NOT NULL,"
    "  subject text NOT NULL,"
    "  before text NOT NULL,"
    "  after text NOT NULL,"
    "  previous text NOT NULL,"
    "  hash text NOT NULL)",
    "CREATE INDEX audit_by_subject ON audit (subject, number)",
    "CREATE INDEX audit_by_time ON audit (at, number)",
};

// Parents and children, pauses, results and follow-ups of operations as columns; and who may write.
// Until then children were known by their idempotency key, and results lay in the scratch.
const std::vector<std::string_view> kFanOut = {
    "ALTER TABLE operation ADD COLUMN result text",
    "ALTER TABLE operation ADD COLUMN follow_up text",
    "ALTER TABLE operation ADD COLUMN paused bigint",
    "ALTER TABLE operation ADD COLUMN cancel_asked bigint",
    "ALTER TABLE operation ADD COLUMN parent text",
    "CREATE INDEX operation_by_parent ON operation (parent, state, id)",
    // Of a parent. Its children are counted where they begin and end, in the same transaction.
    "ALTER TABLE operation ADD COLUMN children_total bigint",
    "ALTER TABLE operation ADD COLUMN children_begun bigint NOT NULL DEFAULT 0",
    "ALTER TABLE operation ADD COLUMN children_succeeded bigint NOT NULL DEFAULT 0",
    "ALTER TABLE operation ADD COLUMN children_failed bigint NOT NULL DEFAULT 0",
    "ALTER TABLE operation ADD COLUMN children_cancelled bigint NOT NULL DEFAULT 0",
    "ALTER TABLE operation ADD COLUMN children_skipped bigint NOT NULL DEFAULT 0",
    // Failures from before a retry: they do not stop it again.
    "ALTER TABLE operation ADD COLUMN children_forgiven bigint NOT NULL DEFAULT 0",
    // The mark of the child that was begun last, and the failed child that was run again last.
    "ALTER TABLE operation ADD COLUMN children_mark text NOT NULL DEFAULT ''",
    "ALTER TABLE operation ADD COLUMN children_again text",

    "UPDATE operation SET result = json_extract(scratch, '$.result'), "
    "follow_up = json_extract(scratch, '$.check'), "
    "scratch = json_remove(scratch, '$.result', '$.check') "
    "WHERE json_valid(scratch) AND (json_type(scratch, '$.result') = 'object' OR "
    "json_type(scratch, '$.check') = 'text')",

    // "for/PARENT/ACCOUNT"
    "UPDATE operation SET parent = substr(idempotency_key, 5, 26) "
    "WHERE idempotency_key LIKE 'for/__________________________/%'",
    "UPDATE operation SET "
    "children_begun = (SELECT count(*) FROM operation c WHERE c.parent = operation.id), "
    "children_succeeded = (SELECT count(*) FROM operation c WHERE c.parent = operation.id "
    "  AND c.state = 'succeeded'), "
    "children_failed = (SELECT count(*) FROM operation c WHERE c.parent = operation.id "
    "  AND c.state = 'failed'), "
    "children_cancelled = (SELECT count(*) FROM operation c WHERE c.parent = operation.id "
    "  AND c.state = 'cancelled'), "
    // One that is under way goes on after the last account that has its child.
    "children_mark = (SELECT coalesce(max(substr(c.idempotency_key, 32)), '') FROM operation c "
    "  WHERE c.parent = operation.id) "
    "WHERE id IN (SELECT parent FROM operation WHERE parent IS NOT NULL)",

    // Who may write, see leased_store.h. No row: nobody has ever.
    "CREATE TABLE lease ("
    "  name text PRIMARY KEY,"
    "  holder text NOT NULL,"
    "  place text NOT NULL,"
    "  fence bigint NOT NULL,"
    "  beat bigint NOT NULL,"
    "  since bigint NOT NULL)",
};

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> all = {
      {1, "first", kFirst}, {2, "lifecycle", kLifecycle}, {3, "fan-out", kFanOut}};
  return all;
}

}  // namespace granary::store

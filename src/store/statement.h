// A prepared statement with the places its parameters are bound to, and a bounded cache of them:
// parsing and planning a statement costs SQLite several times as much as running it. Internal to
// this room; used by the one thread that uses the session, which must outlive them.
#pragma once

#include <soci/soci.h>

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/store.h"

namespace granary::store {

class Statement final {
 public:
  // Throws what SOCI throws, as do the others.
  Statement(soci::session& session, const std::string& sql, const std::vector<Value>& like);
  // Binds `parameters` (of the kinds of `like`), runs it, gives the rows that it returned.
  std::vector<Row> run(const std::vector<Value>& parameters);
  std::int64_t changed() { return statement_.get_affected_rows(); }

 private:
  // What SOCI points at; a deque, so that it stays where it is.
  struct Place {
    long long integer = 0;
    std::string text;
    soci::indicator indicator = soci::i_ok;
  };

  soci::row row_;
  std::deque<Place> places_;
  bool returns_rows_;
  soci::statement statement_;
};

class StatementCache final {
 public:
  explicit StatementCache(soci::session& session) : session_(session) {}
  // The statement of this text, bound for parameters of these kinds; made if there is none yet.
  // Valid until the next call.
  Statement& get(std::string_view sql, const std::vector<Value>& parameters);
  // After it threw: it is made anew the next time.
  void forget(std::string_view sql, const std::vector<Value>& parameters);

 private:
  struct Entry {
    std::unique_ptr<Statement> statement;
    std::uint64_t last_used = 0;
  };
  void make_room();

  soci::session& session_;
  std::unordered_map<std::string, Entry> entries_;  // at most kMaxStatements
  std::uint64_t uses_ = 0;
};

}  // namespace granary::store

// Text for people: tables, sizes, ages; and text from outside made safe for a terminal. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/amount.h"
#include "base/clock.h"
#include "base/json.h"

namespace granary::cli {

// What is printable stays; control characters, broken UTF-8 and marks that reorder text become
// \xNN, so that no name and no log line can move the cursor or forge another line.
std::string safe(std::string_view text);

using base::counted;
using base::human_bytes;
// Since `time` (RFC 3339): "5s", "3m", "4h", "12d"; the text itself where it is no time.
std::string age(const std::string& time, base::WallTime now);

// A document as an outline: a line for each member, what is inside of it indented below. Made safe.
std::string outline(const base::json::object& document);

// Columns as wide as their widest cell, two spaces between. Cells are made safe.
class Table final {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "name:   value" lines, aligned; empty values are left out.
class Facts final {
 public:
  void add(std::string name, std::string value);
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> facts_;
};

}  // namespace granary::cli

// One run of a command: the API it speaks to, what it prints and how, and waiting for operations
// with progress. Owned by Commands::run(); single-threaded.
#pragma once

#include <functional>
#include <string>

#include "api/wire/documents.h"
#include "cli/api_client.h"
#include "cli/surroundings.h"

namespace granary::cli {

enum class Format { Table, Json };

// The options that stand before or after every command.
struct GlobalOptions {
  Format format = Format::Table;
  std::string api;       // empty: GRANARY_API, else this machine
  std::string token;     // empty: see find_token
  std::string data_dir;  // empty: GRANARY_DATA_DIR, else /var/lib/granary
};

class Session final {
 public:
  Session(const Surroundings& surroundings, Format format, Access access)
      : surroundings_(surroundings), format_(format), api_(std::move(access)) {}

  ApiClient& api() { return api_; }
  const Surroundings& surroundings() const { return surroundings_; }
  Format format() const { return format_; }
  base::WallTime now() const { return surroundings_.clock.wall(); }

  // To standard output: the document, or what `text` makes of it for people.
  template <class Document>
  void show(const Document& document, const std::function<std::string()>& text) {
    print(format_ == Format::Json ? base::json::print(api_wire::to_json(document)) + "\n" : text());
  }
  void print(const std::string& text);
  // A line for people, to standard error.
  void tell(const std::string& line);

  // Until the operation is final, or waits for long by its own wish; each step is told of. Errors:
  // how the operation failed, and what to do then; NotReachable when control stays away.
  base::Result<api_wire::OperationDocument> wait(api_wire::OperationDocument operation);
  // Asks the person to type `expected`. Errors: Refused for anything else, or where nobody is.
  base::Result<void> confirm(const std::string& question, const std::string& expected);

 private:
  base::Result<api_wire::OperationDocument> next_change(
      const api_wire::OperationDocument& operation);

  const Surroundings& surroundings_;
  Format format_;
  ApiClient api_;
};

// Errors: InvalidArgument. A token that cannot be found is no error yet.
base::Result<Access> find_access(const GlobalOptions& options, const Surroundings& surroundings);

// "kind of subject" for people: "tenant.create of acme".
std::string title(const api_wire::OperationDocument& operation);
// What an export could not hold, for people; empty: nothing.
std::string left_out_of(const api_wire::OperationDocument& operation);
bool is_final(const api_wire::OperationDocument& operation);

}  // namespace granary::cli

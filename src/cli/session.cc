#include "cli/session.h"

#include <istream>
#include <ostream>
#include <set>

#include "base/left_out.h"
#include "base/os/file.h"
#include "cli/text.h"
#include "wire/paths.h"

namespace granary::cli {

using api_wire::OperationDocument;
using base::Code;
using base::Error;
using base::Result;

namespace {

constexpr std::string_view kHowToGiveToken =
    "Give one with --token, GRANARY_TOKEN or GRANARY_TOKEN_FILE";

// One that is set and empty is as good as none.
std::optional<std::string> environment_of(const Surroundings& surroundings,
                                          const std::string& name) {
  auto value = surroundings.environment(name);
  if (value && value->empty()) value.reset();
  return value;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Result<std::string> read_token(const std::string& path) {
  TRY_ASSIGN(const std::string text, base::os::read_file(path, kMaxTokenBytes));
  return first_line(text);
}

Result<std::string> operator_token(const std::string& data_dir) {
  auto token = read_token(wire::Paths(data_dir).operator_token());
  if (token) return token;
  if (token.error().code == Code::Refused)
    return base::fail_with_advice(
        Code::Unauthenticated,
        fmt::format("the operator token in {} is not for this user to read", data_dir),
        fmt::format("Run this as root (sudo), or: {}", kHowToGiveToken));
  return base::fail_with_advice(
      Code::Unauthenticated, fmt::format("there is no operator token in {}", data_dir),
      fmt::format("Say where the platform keeps its data with --data-dir, or: {}",
                  kHowToGiveToken));
}

// The option, the environment, a file, or the token that `up` wrote on this machine: that one is
// never sent to another.
Result<std::string> find_token(const GlobalOptions& options, const Surroundings& surroundings,
                               const Address& address) {
  if (!options.token.empty()) return options.token;
  if (const auto token = environment_of(surroundings, "GRANARY_TOKEN")) return *token;
  if (const auto file = environment_of(surroundings, "GRANARY_TOKEN_FILE"))
    return read_token(*file);
  if (!address.is_local())
    return base::fail_with_advice(
        Code::Unauthenticated,
        fmt::format("no token is known for the API at {}", to_string(address)),
        std::string(kHowToGiveToken));
  std::string data_dir = options.data_dir;
  if (data_dir.empty())
    data_dir = environment_of(surroundings, "GRANARY_DATA_DIR").value_or("/var/lib/granary");
  while (data_dir.size() > 1 && data_dir.ends_with('/')) data_dir.pop_back();
  if (!data_dir.starts_with('/'))
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("the data directory '{}' is not an absolute path", data_dir),
        "Give one such as /var/lib/granary, with --data-dir or GRANARY_DATA_DIR");
  return operator_token(data_dir);
}

// By the times of the installation: this machine's clock may be another one.
bool waits_by_wish(const OperationDocument& operation) {
  if (operation.state != "waiting" || operation.error || !operation.next_attempt) return false;
  const auto until = base::parse_rfc3339(*operation.next_attempt);
  const auto since = base::parse_rfc3339(operation.updated);
  return until && since && *until - *since > kLongPark;
}

// Tells of steps as they end, once each; on a terminal also of the one that runs.
class Progress final {
 public:
  explicit Progress(const Surroundings& surroundings) : surroundings_(surroundings) {}
  ~Progress() { erase(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const OperationDocument& operation) {
    erase();
    if (!begun_) line(title(operation) + " (" + operation.id + ")");
    begun_ = true;
    for (const auto& step : operation.history) {
      if (!step.ended || !told_.insert({step.started, step.step}).second) continue;
      line(fmt::format("  {} {}{}{}", step.step, step.outcome, step.detail.empty() ? "" : ": ",
                       step.detail));
    }
    if (surroundings_.terminal == Terminal::No || is_final(operation)) return;
    surroundings_.err << "  " << safe(operation.step) << " ..." << std::flush;
    open_ = true;
  }
  void note(const std::string& text) {
    erase();
    line(text);
  }

 private:
  void erase() {
    if (open_) surroundings_.err << "\r\x1b[K" << std::flush;
    open_ = false;
  }
  void line(const std::string& text) { surroundings_.err << safe(text) << '\n' << std::flush; }

  const Surroundings& surroundings_;
  std::set<std::pair<std::string, std::string>> told_;
  bool begun_ = false;
  bool open_ = false;  // an unfinished line stands on the terminal
};

// The API says what to do; of what is wrong whatever the state, it is not to try again.
std::string way_on(const OperationDocument& operation) {
  const std::string retry = "granary operation retry " + operation.id;
  if (!operation.error || operation.error->advice.empty()) return retry;
  const std::string& advice = operation.error->advice;
  const bool whole =
      advice.contains(retry) || operation.error->code == base::to_string(Code::InvalidArgument);
  return whole ? advice : advice + ". Then: " + retry;
}

Error failure_of(const OperationDocument& operation) {
  Error error{Code::Internal, fmt::format("{} was cancelled", title(operation)), "", {}};
  if (operation.state == "failed") {
    const auto& cause = operation.error;
    error.message = fmt::format("{} failed at {}: {}", title(operation), operation.step,
                                cause ? cause->message : "no reason is known");
    error.advice = way_on(operation);
    if (cause) error.context = cause->context;
  }
  return error;
}

}  // namespace

Result<Access> find_access(const GlobalOptions& options, const Surroundings& surroundings) {
  const std::string text =
      options.api.empty() ? environment_of(surroundings, "GRANARY_API").value_or("127.0.0.1:8081")
                          : options.api;
  TRY_ASSIGN(Address address, parse_address(text));
  const auto token = find_token(options, surroundings, address);
  if (token) return Access{std::move(address), *token, {}};
  if (token.error().code == Code::InvalidArgument) return std::unexpected(token.error());
  return Access{std::move(address), "", token.error()};
}

std::string title(const OperationDocument& operation) {
  const std::size_t slash = operation.subject.find('/');
  return fmt::format(
      "{} of {}", operation.kind,
      slash == std::string::npos ? operation.subject : operation.subject.substr(slash + 1));
}

std::string left_out_of(const OperationDocument& operation) {
  const auto* told =
      operation.result ? base::json::find_object(*operation.result, "left_out") : nullptr;
  if (told == nullptr) return "";
  // Of a newer platform there may be words in it that are unknown here.
  const auto left_out = base::left_out_from(*told);
  return left_out ? safe(describe(*left_out)) : safe(base::json::print(*told));
}

bool is_final(const OperationDocument& operation) {
  return operation.state == "succeeded" || operation.state == "failed" ||
         operation.state == "cancelled";
}

void Session::print(const std::string& text) { surroundings_.out << text << std::flush; }

void Session::tell(const std::string& line) {
  surroundings_.err << safe(line) << '\n' << std::flush;
}

Result<OperationDocument> Session::next_change(const OperationDocument& operation) {
  return api_.get<OperationDocument>(
      with_query(path_of({"v1", "operations", operation.id}),
                 {{"wait", "10s"}, {"revision", operation.revision}}));
}

Result<OperationDocument> Session::wait(OperationDocument operation) {
  Progress progress(surroundings_);
  api_.http().hold_interrupts();
  // Its history comes with it only when it is asked for by itself.
  operation.revision = "unknown";
  std::chrono::milliseconds away{0};
  for (;;) {
    auto changed = next_change(operation);
    const bool later = !changed && changed.error().code == Code::Unavailable && away < kAwayTime;
    if (later) {
      if (away.count() == 0) progress.note("the API is away; waiting for it to come back");
      TRY(api_.http().pause(kAwayPause));
      away += kAwayPause;
      continue;
    }
    if (!changed && changed.error().code == Code::Cancelled) {
      changed.error().message = title(operation) + " goes on by itself";
      changed.error().advice = "granary operation wait " + operation.id;
    }
    if (!changed) return changed;
    away = {};
    operation = std::move(*changed);
    progress.show(operation);
    const bool done = operation.state == "succeeded" || waits_by_wish(operation);
    if (done)
      for (const std::string& warning : operation.warnings) progress.note("warning: " + warning);
    if (done) return operation;
    if (is_final(operation)) return std::unexpected(failure_of(operation));
  }
}

Result<void> Session::confirm(const std::string& question, const std::string& expected) {
  surroundings_.err << safe(question) << "\nType " << safe(expected) << " to go on: " << std::flush;
  std::string answer;
  std::getline(surroundings_.in, answer);
  if (answer == expected) return {};
  return base::fail_with_advice(Code::Refused, "not confirmed, so nothing was done",
                                "Type the name as it is, or use --yes");
}

}  // namespace granary::cli

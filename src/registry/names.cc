#include <algorithm>
#include <array>

#include "registry/account.h"

// The words of the registry's enums, and the checks of names that people give.
namespace granary::registry {
namespace {

using base::Code;
using base::Result;

template <class E>
struct Word {
  E value;
  std::string_view text;
};

constexpr std::array kKinds = {Word<Kind>{Kind::Tenant, "tenant"},
                               Word<Kind>{Kind::Environment, "environment"}};
constexpr std::array kStates = {
    Word<State>{State::Creating, "creating"},       Word<State>{State::Active, "active"},
    Word<State>{State::Suspended, "suspended"},     Word<State>{State::Restoring, "restoring"},
    Word<State>{State::Offboarding, "offboarding"}, Word<State>{State::Failed, "failed"}};
constexpr std::array kHealths = {Word<Health>{Health::Unknown, "unknown"},
                                 Word<Health>{Health::Well, "healthy"},
                                 Word<Health>{Health::Failing, "unhealthy"}};

template <class E, std::size_t N>
std::string_view word_of(const std::array<Word<E>, N>& words, E value) {
  for (const auto& word : words) {
    if (word.value == value) return word.text;
  }
  return words.front().text;
}

template <class E, std::size_t N>
Result<E> value_of(const std::array<Word<E>, N>& words, std::string_view text,
                   std::string_view what) {
  for (const auto& word : words) {
    if (word.text == text) return word.value;
  }
  return base::fail(Code::InvalidArgument, "'{}' is not a valid {}", text, what);
}

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Kubernetes: 1 to 63 of [A-Za-z0-9._-], alphanumeric at both ends.
bool label_syntax(std::string_view text) {
  return !text.empty() && text.size() <= 63 && alphanumeric(text.front()) &&
         alphanumeric(text.back()) && std::ranges::all_of(text, [](char c) {
           return alphanumeric(c) || c == '.' || c == '_' || c == '-';
         });
}

bool dns_label(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, allowed);
}

}  // namespace

std::string_view to_string(Kind kind) { return word_of(kKinds, kind); }
std::string_view to_string(State state) { return word_of(kStates, state); }
std::string_view to_string(Health health) { return word_of(kHealths, health); }
Result<Kind> kind_from(std::string_view name) { return value_of(kKinds, name, "kind of account"); }
Result<State> state_from(std::string_view name) {
  return value_of(kStates, name, "state of an account");
}
Result<Health> health_from(std::string_view name) {
  // As rows of earlier versions have it.
  if (name == "well") return Health::Well;
  if (name == "failing") return Health::Failing;
  return value_of(kHealths, name, "health");
}

bool refuses_traffic(State state) {
  return state == State::Suspended || state == State::Offboarding || state == State::Restoring;
}

bool may_become(State from, State to) {
  switch (to) {
    case State::Creating:
      return from == State::Failed;
    case State::Active:
      return from == State::Creating || from == State::Suspended || from == State::Restoring;
    case State::Suspended:
      return from == State::Active || from == State::Restoring || from == State::Offboarding;
    case State::Restoring:
      return from == State::Active || from == State::Suspended;
    case State::Offboarding:
      return from == State::Active || from == State::Suspended || from == State::Failed;
    case State::Failed:
      return from == State::Creating || from == State::Restoring;
  }
  return false;
}

std::string way_on(const base::AccountId& id, State state) {
  switch (state) {
    case State::Creating:
      return "Wait for it, or call it off: granary operation list, granary operation cancel ID";
    case State::Active:
      return fmt::format("It serves already: granary tenant show {}", id.value);
    case State::Suspended:
      return fmt::format("Let it serve again first: granary tenant resume {}", id.value);
    case State::Restoring:
      return "Wait for it: granary operation list, granary operation wait ID";
    case State::Offboarding:
      return "End that first: granary operation list, granary operation cancel ID";
    case State::Failed:
      return fmt::format(
          "See why: granary tenant show {0}. Deploy a corrected release: granary tenant update {0} "
          "--release NEW; or remove the tenant: granary tenant offboard {0}",
          id.value);
  }
  return "";
}

Result<std::string> parse_domain(std::string_view text) {
  std::string domain(text);
  std::ranges::transform(domain, domain.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (domain.ends_with('.')) domain.pop_back();
  std::size_t labels = 0;
  bool good = domain.size() <= 253;
  for (std::size_t at = 0; good && at <= domain.size(); ++labels) {
    const std::size_t dot = std::min(domain.find('.', at), domain.size());
    good = dns_label(std::string_view(domain).substr(at, dot - at));
    at = dot + 1;
  }
  if (good && labels >= 2) return domain;
  return base::fail_with_advice(
      Code::InvalidArgument, fmt::format("'{}' is not a valid domain name", text.substr(0, 80)),
      "Give a host name such as app.example.com; international names in their xn-- form");
}

Result<void> check_label(std::string_view name, std::string_view value) {
  if (!label_syntax(name))
    return base::fail_with_advice(
        Code::InvalidArgument,
        fmt::format("'{}' is not a valid name of a label", name.substr(0, 80)),
        "Use 1 to 63 letters, digits, '.', '_' or '-', beginning and "
        "ending with a letter or digit");
  if (!value.empty() && !label_syntax(value))
    return base::fail_with_advice(Code::InvalidArgument,
                                  fmt::format("label '{}' has a value that is not allowed", name),
                                  "Use up to 63 letters, digits, '.', '_' or '-', beginning and "
                                  "ending with a letter or digit");
  return {};
}

}  // namespace granary::registry

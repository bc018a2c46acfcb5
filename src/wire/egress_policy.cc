#include "wire/egress_policy.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "base/json.h"
#include "wire/members.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr std::uint64_t kVersion = 2;
constexpr std::size_t kLongestHost = 253;  // of a DNS name in text
constexpr std::size_t kLongestLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_digit(c) || is_lower(c) || c == '-'; });
}

// No top-level domain begins with a digit, but everything does that a resolver takes for an
// address: 127.0.0.1, 127.1, 2130706433, 0x7f000001.
bool ends_like_an_address(std::string_view host) {
  return is_digit(host[host.rfind('.') + 1]);  // npos + 1 is 0
}

// What is wrong with a name, or nothing.
std::string_view host_fault(std::string_view host) {
  if (host.empty()) return "names no host";
  if (host.find("//") != std::string_view::npos) return "is a URL";
  if (host.find(':') != std::string_view::npos || host.front() == '[') return "names an address";
  if (host.find('*') != std::string_view::npos)
    return "has a wildcard, which would let out more than anybody can check";
  if (host.size() > kLongestHost) return "has a host name of more than 253 characters";
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) return "has a host that is not a valid DNS name";
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return ends_like_an_address(host) ? "names an address" : "";
}

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  if (!whole || port == 0 || port > 65535 || text.front() == '0')
    return base::fail(Code::InvalidArgument, "has no port from 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

Result<std::vector<std::string>> list_from(const value& from) {
  if (!from.is_array())
    return base::fail(Code::InvalidArgument, "member 'lists' must be a list of lists");
  std::vector<std::string> list;
  for (const value& item : from.get_array()) {
    const auto* text = item.if_string();
    const auto target = text == nullptr ? std::unexpected(base::Error{})
                                        : parse_egress_target(std::string_view(*text));
    if (!target || to_string(*target) != std::string_view(*text))
      return base::fail(Code::InvalidArgument, "a member of 'lists' holds no target");
    list.emplace_back(*text);
  }
  return list;
}

Result<EgressAccount> account_from(const value& from) {
  if (!from.is_object())
    return base::fail(Code::InvalidArgument, "member 'accounts' must be a list of objects");
  Members members(from.get_object());
  EgressAccount account;
  account.account =
      base::AccountId(members.take(base::parse_slug(members.text("account"), "account's name")));
  account.ordinal = members.number<std::uint32_t>("ordinal");
  account.list = members.number<std::uint32_t>("list");
  TRY(members.finish());
  return account;
}

// What no single member shows: that the parts fit together.
Result<void> check_whole(const EgressPolicy& policy) {
  std::set<std::uint32_t> ordinals;
  for (const EgressAccount& account : policy.accounts) {
    if (account.list >= policy.lists.size())
      return base::fail(Code::InvalidArgument, "account {} has no such list", account.account);
    if (!ordinals.insert(account.ordinal).second)
      return base::fail(Code::InvalidArgument, "two accounts have the ordinal {}", account.ordinal);
    if (contains(policy.gone, account.ordinal))
      return base::fail(Code::InvalidArgument, "account {} is gone", account.account);
  }
  return {};
}

}  // namespace

Result<EgressTarget> parse_egress_target(std::string_view text) {
  if (text.find("://") != std::string_view::npos)
    return base::fail(Code::InvalidArgument, "is a URL, not HOST:PORT");
  const std::size_t colon = text.rfind(':');
  EgressTarget target;
  target.host = text.substr(0, colon);
  std::ranges::transform(target.host, target.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (target.host.size() > 1 && target.host.ends_with('.')) target.host.pop_back();
  if (const std::string_view fault = host_fault(target.host); !fault.empty())
    return base::fail(Code::InvalidArgument, "{}", fault);
  const bool has_port = colon != std::string_view::npos;
  TRY_ASSIGN(target.port, parse_port(has_port ? text.substr(colon + 1) : ""));
  return target;
}

std::string to_string(const EgressTarget& target) {
  return fmt::format("{}:{}", target.host, target.port);
}

std::string encode(const EgressPolicy& policy) {
  array lists;
  for (const auto& list : policy.lists) lists.emplace_back(base::json::from_strings(list));
  array accounts;
  accounts.reserve(policy.accounts.size());
  for (const EgressAccount& account : policy.accounts)
    accounts.push_back(object{
        {"account", account.account.value}, {"ordinal", account.ordinal}, {"list", account.list}});
  return base::json::print(object{{"version", kVersion},
                                  {"lists", std::move(lists)},
                                  {"accounts", std::move(accounts)},
                                  {"gone", to_json(policy.gone)}});
}

Result<EgressPolicy> decode_egress_policy(std::string_view text) {
  TRY_ASSIGN(const object from, base::json::parse_object(text, kMaxEgressPolicy));
  Members members(from);
  if (members.number<std::uint64_t>("version", 1000) != kVersion)
    members.refuse({Code::InvalidArgument, "it is of another version", {}, {}});
  EgressPolicy policy;
  for (const value& list : members.list("lists"))
    policy.lists.push_back(members.take(list_from(list)));
  for (const value& account : members.list("accounts"))
    policy.accounts.push_back(members.take(account_from(account)));
  (void)members.list("gone");
  policy.gone = members.take(ranges_from(from, "gone"));
  TRY(members.finish());
  TRY(check_whole(policy));
  return policy;
}

}  // namespace granary::wire

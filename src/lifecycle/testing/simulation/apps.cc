#include "lifecycle/testing/simulation/apps.h"

#include <algorithm>

namespace granary::lifecycle::simulation {

using base::AccountId;

bool Apps::write(const AccountId& account, const std::string& value) {
  const auto found = cloud_.accounts().find(account);
  if (found == cloud_.accounts().end() || found->second.traffic != cloud::Traffic::Allowed)
    return false;
  Life& life = lives_[account];
  if (life.ordinal != found->second.ordinal) life = Life{.ordinal = found->second.ordinal};
  life.last = value;
  ever_[account].insert(value);
  for (Restore& restore : restores_[account]) restore.written_over = true;
  cloud_.data()[account] = value;
  return true;
}

void Apps::restoring(const AccountId& tenant, const Call& call, const std::string& content) {
  restores_[tenant].push_back({.call = &call, .content = content});
  ever_[tenant].insert(content);
}

void Apps::forget_restores(const AccountId& tenant,
                           const std::map<base::OperationId, operation::State>& ended) {
  std::erase_if(restores_[tenant], [&](const Restore& restore) {
    const Call& call = *restore.call;
    return call.status == Call::Status::Refused ||
           (call.status == Call::Status::Acknowledged && ended.contains(call.operation));
  });
}

std::string Apps::wrong_data(const AccountId& account) const {
  const auto found = cloud_.accounts().find(account);
  if (found == cloud_.accounts().end()) return {};
  const auto data = cloud_.data().find(account);
  const std::string content = data == cloud_.data().end() ? "" : data->second;
  const auto life = lives_.find(account);
  const bool same_life = life != lives_.end() && life->second.ordinal == found->second.ordinal;
  const std::string last = same_life ? life->second.last : "";
  if (content == last) return {};
  const auto restores = restores_.find(account);
  const bool restored =
      restores != restores_.end() &&
      std::ranges::any_of(restores->second, [&](const Restore& r) { return r.content == content; });
  if (restored) return {};
  return fmt::format("the data of {} is '{}'; its app wrote '{}' last", account.value, content,
                     last);
}

bool Apps::lacks(const AccountId& account, const Call& restore) const {
  const auto restores = restores_.find(account);
  if (restores == restores_.end()) return false;
  const auto found = std::ranges::find(restores->second, &restore, &Restore::call);
  const auto data = cloud_.data().find(account);
  return found != restores->second.end() && !found->written_over &&
         (data == cloud_.data().end() ? "" : data->second) != found->content;
}

bool Apps::had(const AccountId& tenant, const std::string& content) const {
  const auto found = ever_.find(tenant);
  return content.empty() || (found != ever_.end() && found->second.contains(content));
}

}  // namespace granary::lifecycle::simulation

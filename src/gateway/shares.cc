#include "gateway/shares.h"

#include "base/check.h"

namespace granary::gateway {

Holder::Holder(Shares& shares) : shares_(shares) { shares.wait(*this); }

Holder::~Holder() { shares_.leave(*this); }

Shares::Shares(std::size_t each) : each_(each) { ASSERT(each > 0); }

Shares::~Shares() { ASSERT(waiting_.empty() && shares_.empty()); }

Share& Shares::find(std::string_view tenant) {
  if (const auto found = shares_.find(tenant); found != shares_.end()) return *found->second;
  auto share = std::make_unique<Share>();
  share->tenant = tenant;
  return *shares_.emplace(share->tenant, std::move(share)).first->second;
}

bool Shares::serve(Holder& holder, std::string_view tenant) {
  if (holder.share_ == nullptr || holder.share_->tenant != tenant) {
    Share& share = find(tenant);
    if (share.held >= each_) {
      if (share.waiting.empty()) return false;
      ++share.held;  // before the other leaves: it must not be forgotten in between
      end(share.waiting.front());
      --share.held;
    }
    leave(holder);
    holder.share_ = &share;
    ++share.held;
  }
  serve(holder);
  return true;
}

void Shares::serve(Holder& holder) {
  holder.among_all_.unlink();
  holder.among_its_.unlink();
}

void Shares::wait(Holder& holder) {
  serve(holder);
  waiting_.push_back(holder);
  if (holder.share_ != nullptr) holder.share_->waiting.push_back(holder);
}

bool Shares::make_room() {
  if (waiting_.empty()) return false;
  end(waiting_.front());
  return true;
}

void Shares::end(Holder& holder) {
  leave(holder);
  holder.make_room();
}

void Shares::leave(Holder& holder) {
  serve(holder);
  Share* const share = std::exchange(holder.share_, nullptr);
  if (share != nullptr && --share->held == 0) shares_.erase(shares_.find(share->tenant));
}

std::size_t Shares::held_by(std::string_view tenant) const {
  const auto found = shares_.find(tenant);
  return found == shares_.end() ? 0 : found->second->held;
}

}  // namespace granary::gateway

// Who holds the connections: each is counted to the tenant that its last request was for, no tenant
// holds more than its share of them all, and those on which no request is being served are known by
// how long they wait, so that they make room. What sends no whole head belongs to nobody, and only
// waits. Owned by the Gateway; holders end before it; one thread.
//
//   taken ──► waiting ──a request for T──► serving T ──answered──► waiting, still T's ──► ...
//                              │ T holds its share: the one of T's that waits longest ends,
//                              ▼ or, where all of T's are being served,
//                           refused (429)
#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace granary::gateway {

class Shares;
struct Share;

// One connection, as long as it is there. It waits from the beginning.
class Holder {
 public:
  explicit Holder(Shares& shares);
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  virtual ~Holder();

  // Must end soon: it was waiting, and counts no more.
  virtual void make_room() = 0;

 private:
  friend class Shares;
  friend struct Share;
  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  Shares& shares_;
  Share* share_ = nullptr;  // of the tenant that it counts for; null: of none
  Hook among_all_;          // linked while it waits
  Hook among_its_;          // linked while it waits and counts for a tenant
};

struct Share {
  using Waiting = boost::intrusive::list<
      Holder, boost::intrusive::member_hook<Holder, Holder::Hook, &Holder::among_its_>,
      boost::intrusive::constant_time_size<false>>;
  std::string tenant;
  std::size_t held = 0;  // waiting or not
  Waiting waiting;       // the one that waits longest at the front
};

class Shares final {
 public:
  // So many connections for each tenant at most; at least one.
  explicit Shares(std::size_t each);
  ~Shares();  // asserts that no holder is left
  Shares(const Shares&) = delete;
  Shares& operator=(const Shares&) = delete;

  // A request for this tenant is served on it from now on. False: the tenant holds its share, and
  // none of its connections waits; nothing has changed.
  [[nodiscard]] bool serve(Holder& holder, std::string_view tenant);
  // One for no tenant is.
  void serve(Holder& holder);
  // No request is being served on it any more.
  void wait(Holder& holder);
  // Ends the one that waits longest, whose ever it is. False: none waits.
  bool make_room();

  std::size_t held_by(std::string_view tenant) const;

 private:
  friend class Holder;
  using Waiting = boost::intrusive::list<
      Holder, boost::intrusive::member_hook<Holder, Holder::Hook, &Holder::among_all_>,
      boost::intrusive::constant_time_size<false>>;
  Share& find(std::string_view tenant);
  void leave(Holder& holder);
  void end(Holder& holder);

  const std::size_t each_;
  Waiting waiting_;  // the one that waits longest at the front
  // Of the tenants that hold any, by the name in it.
  std::unordered_map<std::string_view, std::unique_ptr<Share>> shares_;
};

}  // namespace granary::gateway

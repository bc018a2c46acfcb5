// Archives in memory, over a simulated cloud's transfers: they outlive the control plane under
// test, as files would.
#pragma once

#include <map>

#include "base/hash.h"
#include "cloud/sim/sim_cloud.h"
#include "lifecycle/lifecycle.h"

namespace granary::lifecycle::testing {

class FakeArchives final : public Archives {
 public:
  explicit FakeArchives(cloud::sim::SimCloud& cloud) : cloud_(cloud) {}

  base::Task<base::Result<ArchiveFile>> pack(std::string id, ArchiveHead head) override {
    // Again after a lost answer: the transfer is used up, the archive is there.
    const auto data = cloud_.transfers().find(id);
    if (data == cloud_.transfers().end() && !archives_.contains(id))
      co_return base::fail(base::Code::NotFound, "there is no transfer {}", id);
    if (data != cloud_.transfers().end()) archives_[id] = {std::move(head), data->second};
    cloud_.transfers().erase(id);
    co_return file_of(id);
  }
  base::Task<base::Result<ArchiveHead>> head(std::string id) override {
    const auto found = archives_.find(id);
    if (found == archives_.end())
      co_return base::fail(base::Code::NotFound, "there is no archive {}", id);
    co_return found->second.head;
  }
  base::Task<base::Result<ArchiveHead>> unpack(std::string id, std::string transfer,
                                               std::string) override {
    const auto found = archives_.find(id);
    if (found == archives_.end())
      co_return base::fail(base::Code::NotFound, "there is no archive {}", id);
    cloud_.transfers()[transfer] = found->second.data;
    co_return found->second.head;
  }
  base::Task<base::Result<void>> remove(std::string id) override {
    archives_.erase(id);
    cloud_.transfers().erase(id);
    co_return base::Result<void>();
  }
  base::Task<base::Result<std::vector<std::string>>> list() override {
    std::vector<std::string> ids;
    for (const auto& [id, archive] : archives_) ids.push_back(id);
    for (const auto& [id, data] : cloud_.transfers()) ids.push_back(id);
    co_return ids;
  }

  // For tests: an archive that came from elsewhere.
  void put(const std::string& id, ArchiveHead head, std::string data) {
    archives_[id] = {std::move(head), std::move(data)};
  }
  bool contains(const std::string& id) const { return archives_.contains(id); }
  const ArchiveHead& head_of(const std::string& id) const { return archives_.at(id).head; }
  const std::string& data_of(const std::string& id) const { return archives_.at(id).data; }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const auto& [id, archive] : archives_) all.push_back(id);
    return all;
  }
  std::size_t size() const { return archives_.size(); }

 private:
  struct Archive {
    ArchiveHead head;
    std::string data;
  };
  ArchiveFile file_of(const std::string& id) const {
    const std::string& data = archives_.at(id).data;
    return {data.size(), base::sha256_hex(data)};
  }

  cloud::sim::SimCloud& cloud_;
  std::map<std::string, Archive> archives_;
};

// Domains with the records and answers that a test gives them.
class FakeDomains final : public DomainChecker {
 public:
  base::Task<base::Result<std::vector<std::string>>> txt(std::string name) override {
    co_return records_[name];
  }
  base::Task<base::Result<std::string>> get(std::string domain, std::string) override {
    const auto found = answers_.find(domain);
    if (found == answers_.end())
      co_return base::fail(base::Code::Unavailable, "nothing answers at {}", domain);
    co_return found->second;
  }
  void set_txt(const std::string& name, const std::string& text) { records_[name] = {text}; }
  void set_answer(const std::string& domain, const std::string& text) { answers_[domain] = text; }

 private:
  std::map<std::string, std::vector<std::string>> records_;
  std::map<std::string, std::string> answers_;
};

}  // namespace granary::lifecycle::testing

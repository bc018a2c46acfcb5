// What the API counts about itself, and Prometheus' text format. Lives on the server's executor.
// Counts only: no name of a tenant ever becomes a label, since /metrics is public.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace granary::api {

struct Metrics {
  // Method, pattern of the route (empty: none matched), status.
  using Key = std::tuple<std::string, std::string, unsigned>;
  std::map<Key, std::uint64_t> requests;
  std::map<std::string, std::uint64_t> operations_ended;  // by final state, since the start
  std::size_t connections = 0;
  std::size_t streams = 0;
  std::size_t uploads = 0;  // bundles
  std::size_t archive_uploads = 0;
  std::size_t downloads = 0;
  std::size_t audit_checks = 0;
};

// Counts one more for as long as it lives. The counter outlives it.
class Counted final {
 public:
  explicit Counted(std::size_t& counter) : counter_(counter) { ++counter_; }
  ~Counted() { --counter_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& counter_;
};

// Prometheus' text exposition format, version 0.0.4.
class MetricsWriter final {
 public:
  // Begins a metric; its samples follow. `kind` is counter or gauge.
  void family(std::string_view name, std::string_view kind, std::string_view help);
  using Labels = std::vector<std::pair<std::string_view, std::string>>;
  void sample(const Labels& labels, std::uint64_t value);
  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

}  // namespace granary::api

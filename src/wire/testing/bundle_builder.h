// Builds bundles that pack() would never build: any name, kind, mode and order, as an attacker or
// another tar would. Single-threaded, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace granary::wire::testing {

class BundleBuilder final {
 public:
  enum class Format { Gnu, Pax };
  explicit BundleBuilder(Format format = Format::Gnu);
  ~BundleBuilder();

  BundleBuilder& file(std::string_view path, std::string_view content, unsigned mode = 0644);
  BundleBuilder& folder(std::string_view path, unsigned mode = 0755);
  BundleBuilder& link(std::string_view path, std::string_view target);
  BundleBuilder& hard_link(std::string_view path, std::string_view target);
  BundleBuilder& fifo(std::string_view path);
  BundleBuilder& device(std::string_view path);
  // A file of this many zeros: what a bomb is made of.
  BundleBuilder& zeros(std::string_view path, std::uint64_t size);

  std::string tar();     // the archive; call one of these two once
  std::string bundle();  // the archive in a zstd frame

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string in_zstd_frame(std::string_view bytes);

}  // namespace granary::wire::testing

// Packed archives as their readers get them from a slow source: a pipe in the place of the file,
// into which the next piece is written once the one before was read. For tests.
#pragma once

#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace granary::wire::testing {

class PiecesPipe final {
 public:
  // Makes the pipe at `path`; whoever opens and reads it gets the pieces. Empty ones are left out.
  PiecesPipe(const std::string& path, std::vector<std::string> pieces);
  ~PiecesPipe();  // waits until the reader has closed it, or has read all
  PiecesPipe(const PiecesPipe&) = delete;
  PiecesPipe& operator=(const PiecesPipe&) = delete;

 private:
  static void feed(const std::string& path, const std::vector<std::string>& pieces);
  std::thread feeder_;
};

// One zstd frame, in pieces that unpack to exactly these.
std::vector<std::string> packed_in_pieces(const std::vector<std::string_view>& plain);

}  // namespace granary::wire::testing

#include "wire/testing/packed_pieces.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/check.h"
#include "base/os/file.h"

namespace granary::wire::testing {

PiecesPipe::PiecesPipe(const std::string& path, std::vector<std::string> pieces) {
  ASSERT(base::os::remove_file(path).has_value());
  ASSERT(::mkfifo(path.c_str(), 0600) == 0);
  feeder_ = std::thread([path, all = std::move(pieces)] { feed(path, all); });
}

PiecesPipe::~PiecesPipe() { feeder_.join(); }

void PiecesPipe::feed(const std::string& path, const std::vector<std::string>& pieces) {
  sigset_t gone;  // a reader that closes early is no reason to end the test
  ::sigemptyset(&gone);
  ::sigaddset(&gone, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &gone, nullptr);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT(fd >= 0);
  for (const std::string& piece : pieces) {
    int unread = 1;
    pollfd end{.fd = fd, .events = POLLOUT, .revents = 0};
    while (unread > 0 && (end.revents & POLLERR) == 0) {
      ASSERT(::ioctl(fd, FIONREAD, &unread) == 0);
      ::poll(&end, 1, 0);
      if (unread > 0) ::sched_yield();
    }
    if (!piece.empty() && !base::os::write_all(fd, piece)) break;
  }
  ::close(fd);
}

std::vector<std::string> packed_in_pieces(const std::vector<std::string_view>& plain) {
  ZSTD_CCtx* const context = ::ZSTD_createCCtx();
  std::vector<std::string> packed;
  for (std::size_t at = 0; at < plain.size(); ++at) {
    std::string piece(::ZSTD_compressBound(plain[at].size()) + 64, '\0');
    ZSTD_inBuffer in{plain[at].data(), plain[at].size(), 0};
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    const bool last = at + 1 == plain.size();
    ASSERT(::ZSTD_compressStream2(context, &out, &in, last ? ZSTD_e_end : ZSTD_e_flush) == 0);
    piece.resize(out.pos);
    packed.push_back(std::move(piece));
  }
  ::ZSTD_freeCCtx(context);
  return packed;
}

}  // namespace granary::wire::testing

#include "wire/activity_board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/check.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;

// Names the layout below it: a board of another one is refused, not misread.
constexpr std::string_view kMagic = "granary activity board 1\n";
constexpr std::size_t kHead = 4096;  // a page, so that the slots begin on one
constexpr std::size_t kFileSize = kHead + ActivityBoard::kSlots * sizeof(BoardSlot);

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

Result<void> check_board(int fd, const std::string& path) {
  struct stat status = {};
  TRY(base::os::checked("fstat", path, [&] { return ::fstat(fd, &status); }));
  TRY_ASSIGN(const std::string head, base::os::read_at(fd, 0, kMagic.size()));
  const bool whole =
      S_ISREG(status.st_mode) && static_cast<std::size_t>(status.st_size) == kFileSize;
  if (whole && head == kMagic) return {};
  return base::fail_with_advice(
      Code::DataLoss, fmt::format("{} is no activity board", path),
      "Stop granary, remove the file, and start again: a new one is made");
}

Result<void> share(const base::os::Fd& fd, const std::string& path, unsigned mode, unsigned group) {
  TRY(base::os::checked("fchown", path,
                        [&] { return ::fchown(fd.get(), static_cast<uid_t>(-1), group); }));
  TRY(base::os::checked("fchmod", path, [&] { return ::fchmod(fd.get(), mode); }));
  return {};
}

// Complete before it has its name, so that nobody opens half a board, or is refused one that is
// not shared yet.
Result<void> make_board(const std::string& path, unsigned mode, unsigned group) {
  const std::string beside = path + ".new";
  TRY(base::os::remove_file(beside));
  TRY_ASSIGN(const base::os::Fd fd,
             base::os::open_file(beside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(base::os::checked("ftruncate", beside, [&] { return ::ftruncate(fd.get(), kFileSize); }));
  TRY(base::os::write_all(fd.get(), kMagic));
  TRY(share(fd, beside, mode, group));
  // Not rename: a board that another process made meanwhile, and counts in, must stay.
  auto linked =
      base::os::checked("link", path, [&] { return ::link(beside.c_str(), path.c_str()); });
  TRY(base::os::remove_file(beside));
  if (!linked && linked.error().code != Code::AlreadyExists)
    return std::unexpected(std::move(linked).error());
  return {};
}

}  // namespace

ActivityBoard::ActivityBoard(void* map, Access access)
    : map_(map),
      slots_(reinterpret_cast<BoardSlot*>(static_cast<char*>(map) + kHead)),
      access_(access) {}

ActivityBoard::~ActivityBoard() { ::munmap(map_, kFileSize); }

Result<void> ActivityBoard::create(const std::string& path, unsigned mode, unsigned group) {
  if (!base::os::exists(path)) TRY(make_board(path, mode, group));
  TRY_ASSIGN(const base::os::Fd fd, base::os::open_file(path, O_RDWR | O_NOFOLLOW, 0));
  TRY(check_board(fd.get(), path));
  return share(fd, path, mode, group);
}

Result<std::unique_ptr<ActivityBoard>> ActivityBoard::open(const std::string& path, Access access) {
  const bool writes = access == Access::ReadWrite;
  TRY_ASSIGN(const base::os::Fd fd, base::os::open_file(path, writes ? O_RDWR : O_RDONLY, 0));
  TRY(check_board(fd.get(), path));
  const int protection = writes ? PROT_READ | PROT_WRITE : PROT_READ;
  void* map = ::mmap(nullptr, kFileSize, protection, MAP_SHARED, fd.get(), 0);
  if (map == MAP_FAILED) return std::unexpected(base::os::from_errno(errno, "mmap", path));
  return std::unique_ptr<ActivityBoard>(new ActivityBoard(map, access));
}

BoardSlot& ActivityBoard::slot(std::uint32_t slot) {
  INVARIANT(slot < kSlots && access_ == Access::ReadWrite);
  return slots_[slot];
}

// Behind the magic, in the head's page.
std::atomic<std::uint64_t>& ActivityBoard::routing_word() const {
  constexpr std::size_t kRoutingAt = 64;
  static_assert(kRoutingAt >= kMagic.size());
  return *reinterpret_cast<std::atomic<std::uint64_t>*>(static_cast<char*>(map_) + kRoutingAt);
}

void ActivityBoard::set_routing(std::uint64_t generation) {
  ASSERT(access_ == Access::ReadWrite);
  routing_word().store(generation);
}

std::uint64_t ActivityBoard::routing() const { return routing_word().load(); }

const BoardSlot& ActivityBoard::slot(std::uint32_t slot) const {
  INVARIANT(slot < kSlots);
  return slots_[slot];
}

}  // namespace granary::wire

#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "agent/testing/host_fixture.h"
#include "base/os/child.h"
#include "base/os/disk_room.h"
#include "base/os/file.h"
#include "base/os/process.h"

namespace granary::agent {
namespace {

using base::AccountId;
using std::chrono::milliseconds;

constexpr std::uint64_t kMachine = 512ULL << 20;  // watermarks of 64 and 128 MiB
constexpr std::uint64_t kDisk = 400ULL << 20;

// Fills its disk in the background. "x" deletes what it wrote, everything else asks how it stands.
constexpr const char* kFiller = R"(
import os, socket, threading, time
said = 'writing'
def fill():
    global said
    block = os.urandom(1 << 18)
    while True:
        try:
            with open('/data/fill', 'ab', 0) as f:
                while True: f.write(block)
        except OSError as e:
            said = e.strerror
            time.sleep(0.02)
threading.Thread(target=fill, daemon=True).start()
s = socket.socket(fileno=3)
while True:
    c, _ = s.accept()
    if c.recv(16) == b'x':
        open('/data/fill', 'wb').close()
        os.unlink('/data/fill')
        os.mkdir('/data/fill')
    c.sendall(said.encode())
    c.close()
)";

// "wN" writes 256 KiB as the file N, without fsync; "rN" tells whether it is all there.
constexpr const char* kNeighbour = R"(
import hashlib, os, socket
def content(n): return hashlib.sha256(n.encode()).digest() * 8192
def answer(q):
    name = '/data/' + q[1:]
    if q[0] == 'r': return 'kept' if open(name, 'rb').read() == content(q[1:]) else 'lost'
    with open(name, 'wb', 0) as f: n = f.write(content(q[1:]))
    return 'written' if n == 1 << 18 else os.strerror(28)  # a part of it
s = socket.socket(fileno=3)
while True:
    c, _ = s.accept()
    try: said = answer(c.recv(64).decode())
    except OSError as e: said = e.strerror
    c.sendall(said.encode())
    c.close()
)";

// A data directory on a small disk of its own.
class DiskGuardTest : public HostFixture {
 protected:
  void SetUp() override {
    if (!base::os::is_root()) GTEST_SKIP() << "needs root: mounts, and what HostFixture does";
    image_ = folder_ + ".img";
    std::ofstream(image_).close();
    ASSERT_EQ(::truncate(image_.c_str(), static_cast<off_t>(kMachine)), 0);
    shell({"/sbin/mke2fs", "-q", "-F", "-t", "ext4", image_});
    shell({"/bin/mount", "-o", "loop", image_, folder_});
    ASSERT_EQ(::chmod(folder_.c_str(), 0711), 0);
    HostFixture::SetUp();
  }
  void TearDown() override {
    if (image_.empty()) return;
    while (!lives_.empty()) stop(lives_.begin()->first);
    (void)disks_.guard({});
    HostFixture::TearDown();
    for (int i = 0; i < 500 && ::umount(folder_.c_str()) != 0; ++i)
      base::os::pause_thread(milliseconds(10));
    (void)base::os::remove_file(image_);
  }
  static void shell(const std::vector<std::string>& command) {
    const auto end = base::os::run_program(command, std::chrono::seconds(30));
    ASSERT_TRUE(end.has_value()) << describe(end.error());
    ASSERT_EQ(end->exit_code, 0) << end->output;
  }
  void start(const std::string& account, const std::string& program) {
    SiloPlan plan = plan_for(account, make_release(program));
    Life& life = lives_[account];
    life.door = doors_.open(plan.service).value();
    plan.listener = life.door.get();
    auto silo = run(launcher_->start(plan));
    ASSERT_TRUE(silo.has_value()) << describe(silo.error());
    life.silo = *std::move(silo);
  }
  void stop(const std::string& account) {
    const base::ServiceId service{AccountId(account), "api"};
    (void)run(launcher_->clean_up(service));
    doors_.close(service, std::move(lives_[account].door));
    lives_.erase(account);
  }
  HostRoom guard() {
    std::vector<RunningDisk> running;
    for (const auto& [account, life] : lives_)
      running.push_back({AccountId(account), life.silo->pid()});
    auto room = disks_.guard(running);
    EXPECT_TRUE(room.has_value());
    return room ? *room : HostRoom{};
  }
  std::string say(const std::string& account, const std::string& request) {
    return ask({AccountId(account), "api"}, request);
  }
  std::uint64_t free() { return base::os::disk_room(folder_)->free; }

  struct Life {
    base::os::Fd door;
    std::unique_ptr<Silo> silo;
  };
  std::map<std::string, Life> lives_;
  std::string image_;
};

TEST_F(DiskGuardTest, NeighboursOfThoseThatFillTheMachineLoseNothingThatTheyWereToldIsWritten) {
  for (const char* account : {"acme", "globex", "initech"}) make_account(account, kDisk);
  start("initech", kNeighbour);
  EXPECT_NE(guard().state, RoomState::Full);
  start("acme", kFiller);
  start("globex", kFiller);
  std::vector<int> written;
  std::string refused;
  bool full = false;
  for (int i = 0, after = 0; i < 400 && after < 20; ++i) {
    const HostRoom room = guard();
    EXPECT_TRUE(room.read_only.empty() && room.unguarded.empty());
    full = full || room.state == RoomState::Full;
    const std::string said = say("initech", "w" + std::to_string(i));
    if (said == "written") written.push_back(i);
    if (said != "written") refused = said;
    if (full && !refused.empty()) ++after;
    base::os::pause_thread(milliseconds(50));
  }
  EXPECT_TRUE(full);
  EXPECT_EQ(refused, "No space left on device");
  EXPECT_EQ(say("acme", "?"), "No space left on device");
  EXPECT_EQ(say("globex", "?"), "No space left on device");
  EXPECT_FALSE(written.empty());
  ::sync();
  EXPECT_GT(free(), 8ULL << 20) << "all that was accepted has its place on the machine";

  // One that has slept wakes, and reads all of it from the disk.
  stop("initech");
  guard();
  start("initech", kNeighbour);
  guard();
  for (const int i : written) EXPECT_EQ(say("initech", "r" + std::to_string(i)), "kept") << i;

  // What a tenant deletes goes back to the machine, and then all can write again.
  EXPECT_NE(say("acme", "x"), "");
  HostRoom room = guard();
  for (int i = 0; i < 200 && room.state == RoomState::Full; ++i) {
    base::os::pause_thread(milliseconds(50));
    room = guard();
  }
  EXPECT_NE(room.state, RoomState::Full) << (room.room >> 20) << " MiB";
  EXPECT_TRUE(room.read_only.empty());
  EXPECT_EQ(say("initech", "wlater"), "written");
}

TEST_F(DiskGuardTest, ADiskThatNobodyUsesIsHeldByNothing) {
  make_account("acme", kDisk);
  start("acme", kNeighbour);
  std::ofstream ballast(folder_ + "/other");
  const std::string block(1 << 20, 'x');
  while (free() > (40ULL << 20)) ballast.write(block.data(), 1 << 20).flush();
  EXPECT_EQ(guard().state, RoomState::Full);
  EXPECT_EQ(say("acme", "wnote"), "No space left on device");
  const auto other = disks_.make(AccountId("globex"), {kDisk, kUid});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, base::Code::NoRoom);
  stop("acme");
  guard();
  const auto grown = disks_.make(AccountId("acme"), {kDisk + (16ULL << 20), kUid});
  EXPECT_TRUE(grown.has_value()) << describe(grown.error());
  start("acme", kNeighbour);
  EXPECT_EQ(say("acme", "rnone"), "No such file or directory") << "it has started";
  EXPECT_EQ(guard().state, RoomState::Full);
  EXPECT_EQ(say("acme", "wnote"), "No space left on device") << "from its first look on";
  ASSERT_TRUE(base::os::remove_file(folder_ + "/other").has_value());
  ballast.close();
  EXPECT_NE(guard().state, RoomState::Full);
  EXPECT_EQ(say("acme", "wnote"), "written");
}

}  // namespace
}  // namespace granary::agent

#include "agent/testing/host_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/host/sandbox_files.h"
#include "agent/host/seccomp_filter.h"
#include "agent/limits.h"
#include "agent/log_reader.h"
#include "base/hash.h"
#include "base/os/child.h"
#include "base/os/file.h"
#include "base/os/unix_socket.h"

namespace granary::agent {
namespace {

using base::Result;
using base::os::Fd;

std::string make_folder() {
  std::string name = "/tmp/granary-agent-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  ::chmod(name.c_str(), 0711);
  return name;
}

std::string init_program() {
  const std::string own = base::os::own_program().value_or("");
  return own.substr(0, own.rfind('/')) + "/granary-init";
}

std::unique_ptr<DiskKeys> open_keys(const wire::Paths& paths) {
  if (!base::os::is_root() || !base::os::has_folder_encryption()) return nullptr;
  auto keys = DiskKeys::open(paths);
  return keys ? std::move(*keys) : nullptr;
}

std::string read_answer(int fd) {
  std::string answer;
  char block[4096];
  pollfd watched{fd, POLLIN, 0};
  while (::poll(&watched, 1, 10'000) > 0) {
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got <= 0) break;
    answer.append(block, static_cast<std::size_t>(got));
  }
  return answer;
}

}  // namespace

HostFixture::HostFixture()
    : folder_(make_folder()),
      paths_(folder_),
      keys_(open_keys(paths_)),
      disks_(paths_, keys_.get()),
      sandbox_(paths_, "/usr/bin/bwrap"),
      doors_(paths_, 0) {}

HostFixture::~HostFixture() { (void)base::os::remove_tree(folder_); }

void HostFixture::SetUp() {
  if (!base::os::is_root()) GTEST_SKIP() << "needs root: control groups, disks and sandboxes";
  auto layout = detect_layout();
  ASSERT_TRUE(layout.has_value()) << describe(layout.error());
  cgroups_ = std::make_unique<HostCgroups>(*layout, cgroup_name(folder_));
  for (const std::string& path :
       {paths_.run(), paths_.silos(), paths_.releases(), paths_.accounts()})
    ASSERT_TRUE(base::os::make_folders(path, 0711).has_value());
  const auto files = make_sandbox_files(paths_, init_program());
  ASSERT_TRUE(files.has_value()) << describe(files.error());
  shared_ = std::make_unique<SharedFiles>(shared_folders(paths_), own_etc_files());
  const auto shared = shared_->refresh(clock_.boot());
  ASSERT_TRUE(shared.has_value()) << describe(shared.error());
  launcher_ = std::make_unique<HostLauncher>(context_.get_executor(), parts());
}

void HostFixture::TearDown() {
  if (!launcher_) return;
  for (const base::ServiceId& service : run(launcher_->leftovers()))
    (void)run(launcher_->clean_up(service));
  EXPECT_TRUE(run(launcher_->leftovers()).empty());
  const auto layout = detect_layout();
  if (!layout->v2.empty()) (void)::rmdir((layout->v2 + "/" + cgroup_name(folder_)).c_str());
  for (const auto& [controller, root] : layout->v1)
    (void)::rmdir((root + "/" + cgroup_name(folder_)).c_str());
}

HostLauncherParts HostFixture::parts() {
  auto filter = compile_seccomp_filter();
  EXPECT_TRUE(filter.has_value());
  return {.paths = paths_,
          .sandbox = sandbox_,
          .cgroups = *cgroups_,
          .volumes = disks_,
          .worker = worker_,
          .clock = clock_,
          .seccomp = filter ? std::move(*filter) : Fd(),
          .shared = shared_.get()};
}

std::string HostFixture::make_release(const std::string& program) {
  std::string hash = base::sha256_hex(program);
  EXPECT_TRUE(base::os::make_folders(paths_.release(hash), 0755).has_value());
  EXPECT_TRUE(base::os::replace_file(paths_.release(hash) + "/main.py", program, 0644,
                                     base::os::Durability::Cached)
                  .has_value());
  return hash;
}

void HostFixture::make_account(const std::string& account, std::uint64_t disk_bytes) {
  const base::AccountId id(account);
  EXPECT_TRUE(base::os::make_folders(paths_.logs(id), 0700).has_value());
  EXPECT_TRUE(base::os::make_folders(paths_.silo(id), 0711).has_value());
  const auto made = disks_.make(id, {disk_bytes, kUid});
  EXPECT_TRUE(made.has_value()) << describe(made.error());
}

SiloPlan HostFixture::plan_for(const std::string& account, const std::string& release) {
  SiloPlan plan;
  plan.service = {base::AccountId(account), "api"};
  plan.uid = kUid;
  plan.spec.name = "api";
  plan.spec.command = {"python3", "main.py"};
  plan.spec.idle = std::chrono::seconds(1);
  plan.spec.egress = egress_;
  plan.spec.env = env_;
  plan.release_hash = release;
  plan.release_name = "test-release";
  plan.config_json = R"({"flag":true})";
  plan.epoch = 1;
  return plan;
}

std::string HostFixture::ask(const base::ServiceId& service, const std::string& request) {
  auto connection = base::os::connect_unix(paths_.socket(service));
  if (!connection || connection->outcome != base::os::Connecting::Done) return "";
  const int fd = connection->fd.get();
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  ::shutdown(fd, SHUT_WR);
  return read_answer(fd);
}

std::string HostFixture::run_inside(const std::string& account, const std::string& body) {
  SiloPlan plan = plan_for(account, make_release(body));
  auto door = doors_.open(plan.service);
  if (!door) return describe(door.error());
  plan.listener = door->get();
  auto silo = run(launcher_->start(plan));
  if (!silo) return describe(silo.error());
  (void)run((*silo)->ended());
  const SiloEnd end = run(launcher_->clean_up(plan.service));
  doors_.close(plan.service, std::move(*door));
  std::string text;
  const auto log = read_log(paths_, plan.service, 0);
  for (const std::string& line : log->lines)
    text += line.substr(std::min<std::size_t>(line.size(), 25)) + "\n";
  return text + (end.kind == SiloEnd::Kind::NoSandbox ? end.detail : "");
}

std::string http_app(const std::string& body) {
  return "import os, socket, sys\n"
         "s = socket.socket(fileno=3)\n"
         "while True:\n"
         "    c, _ = s.accept()\n"
         "    q = c.recv(65536)\n"
         "    c.sendall(str(" +
         body +
         ").encode())\n"
         "    c.close()\n";
}

}  // namespace granary::agent

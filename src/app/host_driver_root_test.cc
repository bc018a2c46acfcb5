#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "agent/host/disk_images.h"
#include "agent/host/host_parts.h"
#include "agent/host/open_disk.h"
#include "base/os/child.h"
#include "base/os/file.h"
#include "base/os/system.h"
#include "cloud/host/host_driver.h"
#include "cloud/testing/driver_contract.h"
#include "wire/bundle.h"

namespace granary::app {
namespace {

using base::Result;
using base::Task;
using cloud::Actual;
using cloud::DataExport;
using cloud::Page;

constexpr std::uint32_t kUidBase = 61'300;

// The host cloud as it is: control's driver, the agent's socket, the agent with the kernel's parts.
class HostWorld final : public cloud::testing::DriverWorld {
 public:
  HostWorld() : folder_(make_folder()), paths_(folder_) {
    if (!base::os::is_root()) return;
    for (const std::string& path : {paths_.bundles(), paths_.transfers(), paths_.releases()})
      EXPECT_TRUE(base::os::make_folders(path, 0711).has_value());
    make_release();
    start_agent();
  }
  ~HostWorld() override {
    if (agent_) (void)wait(closed());
    agent_.reset();
    parts_.reset();
    (void)base::os::remove_tree(folder_);
  }

  std::string missing() override {
    return base::os::is_root() ? "" : "needs root: disks and sandboxes";
  }
  cloud::Driver& driver() override { return driver_; }
  Result<void> run(Task<Result<void>> task) override { return wait(std::move(task)); }
  Result<Actual> run(Task<Result<Actual>> task) override { return wait(std::move(task)); }
  Result<Page> run(Task<Result<Page>> task) override { return wait(std::move(task)); }
  Result<DataExport> run(Task<Result<DataExport>> task) override { return wait(std::move(task)); }

  std::string release_hash() override { return release_; }
  std::string services_json() override {
    wire::ServiceSpec service;
    service.name = "api";
    service.command = {"python3", "main.py"};
    service.idle = std::chrono::seconds(60);
    service.start_timeout = service.stop_timeout = std::chrono::seconds(10);
    return base::json::print(base::json::array{to_json(service)});
  }
  void write_data(const base::AccountId& account, const std::string& bytes) override {
    const auto disk = open(account);
    ASSERT_TRUE(disk.has_value()) << describe(disk.error());
    ASSERT_TRUE(
        base::os::replace_file(disk->folder + "/data", bytes, 0600, base::os::Durability::Synced));
  }
  std::string read_data(const base::AccountId& account) override {
    const auto disk = open(account);
    if (!disk) return describe(disk.error());
    return base::os::read_file(disk->folder + "/data", 1U << 20).value_or("");
  }
  std::string transfer_name(int number) override {
    return "01J8Z" + std::string(20, '0') + std::to_string(number);
  }

 private:
  static std::string make_folder() {
    std::string name = "/tmp/granary-driver-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    ::chmod(name.c_str(), 0711);
    return name;
  }

  void make_release() {
    const std::string source = folder_ + "/source";
    EXPECT_TRUE(base::os::make_folders(source, 0755).has_value());
    EXPECT_TRUE(
        base::os::replace_file(source + "/main.py", "pass\n", 0644, base::os::Durability::Cached));
    const std::string bundle = folder_ + "/bundle";
    const auto packed = wire::pack(
        source, bundle, {.source = wire::Source::BundleContents, .limits = {}, .include = {}});
    ASSERT_TRUE(packed.has_value()) << describe(packed.error());
    release_ = packed->bundle.hash;
    ASSERT_TRUE(base::os::rename_file(bundle, paths_.bundle(release_)));
  }

  void start_agent() {
    const std::string own = base::os::own_program().value_or("");
    auto parts = agent::make_host_parts(
        {.paths = paths_, .init_program = own.substr(0, own.rfind('/')) + "/granary-init"},
        context_.get_executor(), clock_, pool_);
    ASSERT_TRUE(parts.has_value()) << describe(parts.error());
    parts_ = std::move(*parts);
    const agent::AgentOptions options{.accounts = {.paths = paths_, .uid_base = kUidBase}};
    agent_ = std::make_unique<agent::Agent>(
        options, agent::AccountsParts{.executor = context_.get_executor(),
                                      .clock = clock_,
                                      .timer = timer_,
                                      .rng = rng_,
                                      .worker = pool_,
                                      .bulk = pool_,
                                      .launcher = parts_->launcher(),
                                      .doors = parts_->doors(),
                                      .cgroups = parts_->cgroups(),
                                      .volumes = parts_->volumes(),
                                      .board = parts_->board()});
    const auto started = wait(agent_->start());
    ASSERT_TRUE(started.has_value()) << describe(started.error());
  }
  Task<Result<void>> closed() {
    co_await client_.close();
    co_await agent_->close(agent::Accounts::Silos::Stop);
    co_return Result<void>();
  }

  // What an app would see as /data.
  Result<agent::OpenDisk> open(const base::AccountId& account) {
    TRY_ASSIGN(const auto disk, parts_->volumes().attach(account));
    return agent::open_disk(disk.device_path, disk.key.get(), {kUidBase, kUidBase});
  }

  template <class T>
  T wait(Task<T> task) {
    std::optional<T> value;
    base::asio::co_spawn(context_, std::move(task),
                         [&](const std::exception_ptr& failure, T result) {
                           if (failure) std::rethrow_exception(failure);
                           value = std::move(result);
                         });
    context_.restart();
    while (!value) context_.run_one();
    return std::move(*value);
  }

  std::string folder_;
  wire::Paths paths_;
  std::string release_;
  base::asio::io_context context_{1};
  base::os::SystemClock clock_;
  base::os::AsioTimer timer_;
  base::os::SystemRng rng_;
  base::os::ThreadPool pool_{4};
  std::unique_ptr<agent::HostParts> parts_;
  std::unique_ptr<agent::Agent> agent_;
  cloud::host::AgentClient client_{context_.get_executor(), timer_, paths_.agent_socket()};
  cloud::host::HostDriver driver_{client_};
};

}  // namespace
}  // namespace granary::app

namespace granary::cloud::testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Host, DriverContract, app::HostWorld);
}  // namespace granary::cloud::testing

#include <sys/stat.h>

#include <filesystem>

#include "agent/log_reader.h"
#include "agent/testing/agent_fixture.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/signature.h"

namespace granary::agent {
namespace {

constexpr const char* kValue = "sk_live_hunter2_long_enough_to_find";

// Tells what a silo sees of its secrets: each file with its mode, owner and value; whether it can
// change anything; and where else the value shows.
constexpr const char* kLook = R"(
import os, socket
folder = os.environ['SECRETS_DIR']
def tried(what):
    try:
        what()
        return 'done'
    except OSError as error:
        return type(error).__name__
def shows(path, value):
    try:
        return value in open(path, 'rb').read()
    except OSError:
        return False
def look():
    names = sorted(os.listdir(folder))
    text = [f'folder {oct(os.stat(folder).st_mode)}']
    for name in names:
        s = os.stat(folder + '/' + name)
        text.append(f'{name} {oct(s.st_mode)} {s.st_uid == os.getuid()} '
                    f'{open(folder + "/" + name, "rb").read()!r}')
    text.append('new ' + tried(lambda: open(folder + '/new', 'w')))
    if names:
        first = folder + '/' + names[0]
        value = open(first, 'rb').read()
        text.append('write ' + tried(lambda: open(first, 'a')))
        text.append('chmod ' + tried(lambda: os.chmod(first, 0o644)))
        text.append('unlink ' + tried(lambda: os.unlink(first)))
        places = [f'/proc/{p}/{f}' for p in os.listdir('/proc') if p.isdigit()
                  for f in ('cmdline', 'environ')]
        text.append('shows ' + str([p for p in places if shows(p, value)]))
        links = [linked(n) for n in os.listdir('/proc/self/fd')]
        text.append('open ' + str([link for link in links if 'memfd' in link]))
    return '\n'.join(text)
def linked(n):
    try:
        return os.readlink(f'/proc/self/fd/{n}')
    except OSError:
        return ''
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    connection.recv(100)
    try:
        connection.sendall(look().encode())
    except Exception as error:
        connection.sendall(repr(error).encode())
    connection.close()
)";

class SecretsTest : public AgentFixture {
 protected:
  wire::AccountSpec spec(std::uint64_t version, wire::Secrets secrets) {
    wire::AccountSpec wanted = spec_for("acme", kLook, version);
    wanted.services[0].idle.reset();
    wanted.secrets = std::move(secrets);
    return wanted;
  }
  std::string look() { return ask({base::AccountId("acme"), "api"}, "x"); }
  void expect_seen(const std::string& seen, const std::string& line) {
    EXPECT_NE(seen.find(line), std::string::npos) << line << "\nin\n" << seen;
  }
  // Files below the data directory that hold the text. Disks hold what the app wrote, no more.
  std::vector<std::string> files_that_hold(const std::string& text) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      const auto bytes = base::os::read_file(entry.path().string(), 256U << 20).value_or("");
      if (bytes.find(text) != std::string::npos) found.push_back(entry.path().string());
    }
    return found;
  }
};

TEST_F(SecretsTest, ASiloReadsThemAsFilesOfItsOwnAndNothingElseShowsThem) {
  const std::string binary("\0\xff\n", 3);
  const auto applied = apply(spec(1, {{"STRIPE_KEY", kValue}, {"Z_BINARY", binary}}));
  ASSERT_TRUE(applied.has_value()) << describe(applied.error().error);
  ASSERT_TRUE(wake("acme").has_value());
  const std::string seen = look();
  expect_seen(seen, fmt::format("STRIPE_KEY 0o100400 True b'{}'", kValue));
  expect_seen(seen, R"(Z_BINARY 0o100400 True b'\x00\xff\n')");
  expect_seen(seen, "new OSError");  // a read-only file system
  expect_seen(seen, "write PermissionError");
  expect_seen(seen, "chmod OSError");
  expect_seen(seen, "unlink OSError");
  expect_seen(seen, "shows []");
  expect_seen(seen, "open []");
  EXPECT_TRUE(files_that_hold(kValue).empty());
  EXPECT_TRUE(files_that_hold(base::to_base64(kValue)).empty());
}

// The host's list of processes is anybody's to read on this machine.
TEST_F(SecretsTest, NoCommandLineOrEnvironmentOnTheMachineHoldsThem) {
  ASSERT_TRUE(apply(spec(1, {{"STRIPE_KEY", kValue}})).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  expect_seen(look(), kValue);
  std::size_t read = 0;
  for (const std::string& name : base::os::list_folder("/proc").value()) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    for (const char* file : {"/cmdline", "/environ"}) {
      const auto text = base::os::read_file("/proc/" + name + file, 4U << 20).value_or("");
      if (!text.empty()) ++read;
      EXPECT_EQ(text.find(kValue), std::string::npos) << name << file;
    }
  }
  EXPECT_GT(read, 4U);
}

TEST_F(SecretsTest, ASiloWithoutAnySeesAnEmptyFolder) {
  ASSERT_TRUE(apply(spec(1, {})).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  const std::string seen = look();
  expect_seen(seen, "folder ");
  expect_seen(seen, "new OSError");
}

TEST_F(SecretsTest, TheMostThatAnAccountMayHaveFits) {
  wire::Secrets secrets;
  for (std::size_t i = 0; i < wire::kMaxSecrets; ++i)
    secrets[fmt::format("S{}", i)] =
        std::string(wire::kMaxAllSecretBytes / wire::kMaxSecrets, static_cast<char>('a' + i % 26));
  ASSERT_TRUE(apply(spec(1, secrets)).has_value());
  const auto woken = wake("acme");
  ASSERT_TRUE(woken.has_value()) << describe(woken.error().error);
  const std::string seen = look();
  for (const auto& [name, value] : secrets)
    expect_seen(seen, fmt::format("{} 0o100400 True b'{}'\n", name, value));
}

TEST_F(SecretsTest, AChangedSecretIsThereAfterItsRestartWithoutBeingAskedFor) {
  ASSERT_TRUE(apply(spec(1, {{"STRIPE_KEY", "first"}})).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  expect_seen(look(), "b'first'");
  ASSERT_TRUE(apply(spec(2, {{"STRIPE_KEY", "second"}})).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  expect_seen(look(), "b'second'");
}

TEST_F(SecretsTest, ANewAgentWakesWithThemWithoutControl) {
  ASSERT_TRUE(apply(spec(1, {{"STRIPE_KEY", kValue}})).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  expect_seen(look(), kValue);
  end(Accounts::Silos::Stop);
  begin(Isolation::Full);
  ASSERT_TRUE(wake("acme").has_value());
  expect_seen(look(), kValue);
}

TEST_F(SecretsTest, WithoutIsolationTheyLieInAFolderOfTheAccountWhileItRuns) {
  end(Accounts::Silos::LeaveRunning);
  begin(Isolation::None);
  ASSERT_TRUE(apply(spec(1, {{"STRIPE_KEY", kValue}})).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  const std::string seen = look();
  expect_seen(seen, "folder 0o40700");
  expect_seen(seen, fmt::format("STRIPE_KEY 0o100400 True b'{}'", kValue));
  expect_seen(seen, "shows []");
  const base::ServiceId service{base::AccountId("acme"), "api"};
  struct stat status{};
  ASSERT_EQ(::stat(paths_.silo_secrets(service).c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, kUid + 1);
  ASSERT_TRUE(call(wire::Verb::Remove, account("acme")).has_value());
  EXPECT_FALSE(base::os::exists(paths_.silo_secrets(service)));
}

}  // namespace
}  // namespace granary::agent

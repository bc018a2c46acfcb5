#include "agent/testing/agent_world.h"
#include "base/os/file.h"
#include "base/signature.h"

namespace granary::agent {
namespace {

using base::Code;

constexpr const char* kValue = "sk_live_hunter2_long_enough_to_find";

class AccountsSecretsTest : public AgentWorld {
 protected:
  wire::AccountSpec with_secret(const std::string& value, std::uint64_t version = 1) {
    wire::AccountSpec spec = spec_of("acme");
    spec.version = version;
    spec.secrets = {{"STRIPE_KEY", value}};
    return spec;
  }
  std::string folder() const { return paths_.account(base::AccountId("acme")); }
  // Files of the account that say it, in whatever place.
  std::vector<std::string> files_that_hold(const std::string& text) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      const auto bytes = base::os::read_file(entry.path().string(), 16U << 20).value_or("");
      if (bytes.find(text) != std::string::npos) found.push_back(entry.path().filename());
    }
    return found;
  }
  std::vector<std::string> sealed_files() {
    std::vector<std::string> found;
    for (const std::string& name : base::os::list_folder(folder()).value())
      if (name.starts_with("secrets.")) found.push_back(name);
    return found;
  }
};

TEST_F(AccountsSecretsTest, ASiloIsStartedWithThem) {
  apply(with_secret(kValue));
  ASSERT_TRUE(activate("acme").has_value());
  EXPECT_EQ(launcher_.last_plan().secrets, (wire::Secrets{{"STRIPE_KEY", kValue}}));
}

TEST_F(AccountsSecretsTest, OnDiskTheyAreSealedAndItsOwnersAlone) {
  apply(with_secret(kValue));
  EXPECT_TRUE(files_that_hold(kValue).empty());
  EXPECT_TRUE(files_that_hold(base::to_base64(kValue)).empty());
  EXPECT_TRUE(files_that_hold("STRIPE_KEY").empty());
  EXPECT_EQ(sealed_files(), std::vector<std::string>{"secrets.1.sealed"});
  const auto mode = std::filesystem::status(folder() + "/secrets.1.sealed").permissions();
  EXPECT_EQ(static_cast<unsigned>(mode), 0600U);
}

TEST_F(AccountsSecretsTest, AWakeAfterARestartNeedsNobodyToTellThem) {
  apply(with_secret(kValue));
  restart();
  ASSERT_TRUE(activate("acme").has_value());
  EXPECT_EQ(launcher_.last_plan().secrets, (wire::Secrets{{"STRIPE_KEY", kValue}}));
  apply(with_secret(kValue));  // told again, it is the same
  EXPECT_EQ(launcher_.starts(api("acme")), 1);
}

TEST_F(AccountsSecretsTest, AChangedSecretRestartsWhatRunsAndTheOldOneIsForgotten) {
  apply(with_secret(kValue));
  ASSERT_TRUE(activate("acme").has_value());
  request_begins("acme");
  apply(with_secret("rotated", 2));
  EXPECT_FALSE(launcher_.runs(api("acme")) && launcher_.starts(api("acme")) == 1);
  request_ends("acme");
  ASSERT_TRUE(activate("acme").has_value());
  EXPECT_EQ(launcher_.starts(api("acme")), 2);
  EXPECT_EQ(launcher_.last_plan().secrets.at("STRIPE_KEY"), "rotated");
  EXPECT_EQ(sealed_files(), std::vector<std::string>{"secrets.2.sealed"});
}

TEST_F(AccountsSecretsTest, NoSecretsLeaveNoFile) {
  apply(with_secret(kValue));
  wire::AccountSpec none = spec_of("acme");
  none.version = 2;
  none.secrets.clear();
  apply(none);
  EXPECT_TRUE(sealed_files().empty());
  restart();
  ASSERT_TRUE(activate("acme").has_value());
  EXPECT_TRUE(launcher_.last_plan().secrets.empty());
}

// Killed between the two files: the old state is in force, with its own secrets.
TEST_F(AccountsSecretsTest, AnAgentThatIsKilledAmidAChangeKeepsTheOldPair) {
  apply(with_secret(kValue));
  const auto before = base::os::read_file(paths_.account_file(base::AccountId("acme")), 1U << 20);
  const auto sealed = base::os::read_file(folder() + "/secrets.1.sealed", 1U << 20);
  apply(with_secret("rotated", 2));
  const auto put = [](const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(base::os::replace_file(path, bytes, 0600, base::os::Durability::Cached));
  };
  put(paths_.account_file(base::AccountId("acme")), *before);
  put(folder() + "/secrets.1.sealed", *sealed);
  restart();
  ASSERT_TRUE(activate("acme").has_value());
  EXPECT_EQ(launcher_.last_plan().secrets.at("STRIPE_KEY"), kValue);
  apply(with_secret("rotated", 2));  // as control does again
  ASSERT_TRUE(activate("acme").has_value());
  EXPECT_EQ(launcher_.last_plan().secrets.at("STRIPE_KEY"), "rotated");
}

// An app must not wake without what it needs, nor with what was another's.
TEST_F(AccountsSecretsTest, AChangedForeignOrOlderFileIsRefusedAndHeals) {
  apply(with_secret("older"));
  const auto older = base::os::read_file(folder() + "/secrets.1.sealed", 1U << 20);
  apply(with_secret(kValue, 2));
  const std::string path = folder() + "/secrets.2.sealed";
  std::string flipped = base::os::read_file(path, 1U << 20).value();
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  for (const std::string& bytes : {flipped, *older, std::string("x"), std::string()}) {
    ASSERT_TRUE(base::os::replace_file(path, bytes, 0600, base::os::Durability::Cached));
    restart();
    EXPECT_EQ(activate("acme").error().error.code, Code::NotFound);
    apply(with_secret(kValue, 2));
    ASSERT_TRUE(activate("acme").has_value());
    EXPECT_EQ(launcher_.last_plan().secrets.at("STRIPE_KEY"), kValue);
  }
}

TEST_F(AccountsSecretsTest, AFingerprintIsOfTheSecretsAndAsBeforeWithoutAny) {
  SiloPlan plan;
  plan.service = api("acme");
  const std::string none = fingerprint(plan);
  plan.secrets = {{"A", "1"}};
  const std::string one = fingerprint(plan);
  plan.secrets = {{"A", "2"}};
  EXPECT_NE(one, none);
  EXPECT_NE(fingerprint(plan), one);
  plan.secrets.clear();
  EXPECT_EQ(fingerprint(plan), none);
}

}  // namespace
}  // namespace granary::agent

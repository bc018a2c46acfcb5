#include "operation/testing/engine_test_case.h"

// Kinds that this program does not know, because another version recorded them.
namespace granary::operation::testing {
namespace {

using namespace std::chrono_literals;

class UnknownKindTest : public EngineTest {
 protected:
  void SetUp() override {
    script_.refused.insert("act");
    failed_ = ended(submit("build", "tenant/a"));
    ASSERT_EQ(failed_.state, State::Failed);
    script_.refused.clear();
    ASSERT_TRUE(world_.run(store_.get().write([](store::Transaction& tx) -> Result<void> {
      TRY(tx.exec("UPDATE operation SET kind = 'rollout.later'"));
      return {};
    })));
  }
  Operation failed_;
};

TEST_F(UnknownKindTest, ItsRoleIsRefusedAndNotTakenForAnOperators) {
  EXPECT_EQ(engine_->role_of("build").value(), KindRole::Deployer);
  const auto unknown = engine_->role_of("rollout.later");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, Code::NotSupported);
  EXPECT_NE(unknown.error().message.find("rollout.later"), std::string::npos);
}

TEST_F(UnknownKindTest, ARetryIsRefusedAndChangesNothing) {
  const auto retried = world_.run(engine_->retry(failed_.id));
  ASSERT_FALSE(retried.has_value());
  EXPECT_EQ(retried.error().code, Code::NotSupported);
  EXPECT_EQ(world_.run(engine_->find(failed_.id))->state, State::Failed);
}

TEST_F(UnknownKindTest, ASubmissionPauseAndCancelAreRefused) {
  Request request{.kind = "rollout.later",
                  .subject = "tenant/a",
                  .input = {},
                  .actor = "test",
                  .idempotency_key = {}};
  EXPECT_EQ(world_.run(engine_->submit(request)).error().code, Code::NotSupported);
  EXPECT_EQ(world_.run(engine_->pause(failed_.id)).error().code, Code::NotSupported);
  EXPECT_EQ(world_.run(engine_->cancel(failed_.id)).error().code, Code::NotSupported);
}

}  // namespace
}  // namespace granary::operation::testing

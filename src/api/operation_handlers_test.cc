#include <gtest/gtest.h>

#include "api/testing/api_world.h"

// Operations over the API: who may change them, pausing, parents and children.
namespace granary::api {
namespace {

using base::Result;
using registry::Role;
using testing::ApiWorld;
using testing::Reply;
using testing::text_at;

class OperationHandlersTest : public ::testing::Test {
 protected:
  Reply change(const std::string& id, const std::string& verb, const std::string& token = {}) {
    return world_.ask({.method = "POST",
                       .target = fmt::format("/v1/operations/{}/{}", id, verb),
                       .body = "",
                       .token = token});
  }
  ApiWorld world_;
};

TEST_F(OperationHandlersTest, OneOfAKindThatIsNotKnownIsRefusedToOperatorsToo) {
  world_.add_tenant("acme");
  const Reply offboard = world_.post("/v1/tenants/acme/offboard", R"({"retain": "1d"})");
  const std::string id = text_at(offboard.json(), "id");
  ASSERT_TRUE(world_.control.world.run(
      world_.control.store.get().write([id](store::Transaction& tx) -> Result<void> {
        TRY(tx.exec("UPDATE operation SET kind = 'rollout.later' WHERE id = :1", {id}));
        return {};
      })));
  for (const char* verb : {"retry", "cancel", "pause", "resume"}) {
    const Reply reply = change(id, verb);
    EXPECT_EQ(reply.code(), "not_supported") << verb;
    EXPECT_NE(reply.body.find("rollout.later"), std::string::npos) << reply.body;
  }
}

TEST_F(OperationHandlersTest, WhoMayStartAnOperationMayPauseIt) {
  world_.add_tenant("acme");
  const Reply offboard = world_.post("/v1/tenants/acme/offboard", R"({"retain": "1d"})");
  const std::string id = text_at(offboard.json(), "id");
  EXPECT_EQ(change(id, "pause", world_.token(Role::Deployer)).status, 403U);
  const Reply paused = change(id, "pause");
  ASSERT_EQ(paused.status, 202U) << paused.body;
  EXPECT_NE(text_at(paused.json(), "paused"), "(none)");
  const Reply resumed = change(id, "resume");
  ASSERT_EQ(resumed.status, 202U) << resumed.body;
  EXPECT_EQ(text_at(resumed.json(), "paused"), "(none)");
}

TEST_F(OperationHandlersTest, AChangeOfManyTenantsTellsItsOperationsAndListsThem) {
  for (const char* name : {"acme", "globex"}) world_.add_tenant(name);
  const Reply put = world_.ask({.method = "PUT",
                                .target = "/v1/plans/standard",
                                .body = R"({"ceilings": {"cpu_millis": 250}})"});
  ASSERT_EQ(put.status, 202U) << put.body;
  const std::string id = text_at(put.json(), "id");
  const Reply shown = world_.get("/v1/operations/" + id + "?wait=30s");
  EXPECT_EQ(text_at(shown.json(), "state"), "succeeded") << shown.body;
  const base::json::object document = shown.json();
  const base::json::object* children = base::json::find_object(document, "children");
  ASSERT_NE(children, nullptr) << shown.body;
  EXPECT_EQ(children->at("succeeded").as_int64(), 2);
  EXPECT_EQ(children->at("total").as_int64(), 2);
  EXPECT_EQ(base::json::find_object(document, "result")->at("accounts").as_int64(), 2);
  const base::json::object list = world_.get("/v1/operations?parent=" + id).json();
  const base::json::array* items = base::json::find_array(list, "items");
  ASSERT_EQ(items->size(), 2U);
  for (const base::json::value& item : *items) EXPECT_EQ(text_at(item.as_object(), "parent"), id);
}

}  // namespace
}  // namespace granary::api

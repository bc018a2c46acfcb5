#include <gtest/gtest.h>

#include <boost/asio/write.hpp>

#include "api/testing/api_world.h"
#include "base/hash.h"

// Archives over real sockets: made, brought, fetched, removed.
namespace granary::api {
namespace {

using registry::Role;
using testing::ApiWorld;
using testing::Reply;
using testing::text_at;

// Bytes that differ everywhere, so that a piece in the wrong place is seen.
std::string content(std::size_t bytes) {
  std::string text;
  for (std::uint32_t i = 0; text.size() < bytes; ++i)
    text += fmt::format("{:08x}", i * 2654435761U);
  text.resize(bytes);
  return text;
}

base::json::object ended(ApiWorld& world, const Reply& accepted) {
  EXPECT_EQ(accepted.status, 202U) << accepted.body;
  const std::string id = text_at(accepted.json(), "id");
  return world.get("/v1/operations/" + id + "?wait=30s").json();
}

TEST(ArchiveHandlersTest, AnArchiveIsBroughtNamedFetchedAndRemoved) {
  ApiWorld world;
  const std::string bytes = content(1'000'003);  // no multiple of a piece
  const Reply made = world.upload_archive(bytes);
  ASSERT_EQ(made.status, 201U) << made.body;
  const std::string id = text_at(made.json(), "id");
  EXPECT_EQ(made.headers.at("location"), "/v1/archives/" + id);
  EXPECT_EQ(text_at(made.json(), "kind"), "upload");
  EXPECT_EQ(text_at(made.json(), "tenant"), "old");
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());

  const Reply fetched = world.get("/v1/archives/" + id + "/content");
  EXPECT_EQ(fetched.status, 200U);
  EXPECT_EQ(fetched.body, bytes);
  EXPECT_EQ(fetched.headers.at("content-type"), "application/x-tar");
  EXPECT_EQ(fetched.headers.at("content-length"), std::to_string(bytes.size()));
  EXPECT_EQ(fetched.headers.at("etag"), fmt::format("\"{}\"", base::sha256_hex(bytes)));
  EXPECT_TRUE(fetched.headers.at("repr-digest").starts_with("sha-256=:"));
  EXPECT_EQ(fetched.headers.at("cache-control"), "no-store");

  EXPECT_EQ(world.get("/v1/archives").json().at("items").as_array().size(), 1U);
  EXPECT_EQ(world.get("/v1/archives?tenant=old").json().at("items").as_array().size(), 1U);
  EXPECT_EQ(world.get("/v1/archives?tenant=acme").json().at("items").as_array().size(), 0U);
  EXPECT_EQ(text_at(world.get("/v1/archives/" + id).json(), "sha256"), base::sha256_hex(bytes));

  EXPECT_EQ(world.ask({.method = "DELETE", .target = "/v1/archives/" + id}).status, 204U);
  EXPECT_EQ(world.get("/v1/archives/" + id).status, 404U);
  EXPECT_EQ(world.get("/v1/archives/" + id + "/content").status, 404U);
  EXPECT_EQ(world.ask({.method = "DELETE", .target = "/v1/archives/" + id}).status, 404U);
}

TEST(ArchiveHandlersTest, TheDigestIsOfTheFileInTheFormOfItsStandard) {
  ApiWorld world;
  const Reply made = world.upload_archive("hello");
  const Reply fetched = world.get("/v1/archives/" + text_at(made.json(), "id") + "/content");
  // printf hello | openssl dgst -sha256 -binary | base64
  EXPECT_EQ(fetched.headers.at("repr-digest"),
            "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:");
}

TEST(ArchiveHandlersTest, WhatIsNoArchiveIsRefusedAndLeavesNoFile) {
  ApiWorld world;
  const Reply bad = world.upload_archive("bad archive");
  EXPECT_EQ(bad.status, 400U);
  EXPECT_EQ(text_at(bad.json(), "detail"), "this is not an archive of Granary");
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());
  EXPECT_EQ(
      world
          .ask(
              {.method = "POST", .target = "/v1/archives", .body = "x", .type = "application/zstd"})
          .status,
      415U);
  EXPECT_EQ(world.ask({.method = "POST", .target = "/v1/archives"}).status, 400U);
}

TEST(ArchiveHandlersTest, AnArchiveAboveTheBoundIsRefusedWhetherItSaysSoOrNot) {
  ApiWorld world({}, 1000);
  EXPECT_EQ(world.upload_archive(content(1001)).status, 413U);
  EXPECT_EQ(world.upload_archive(content(1000)).status, 201U);
  const std::string head = fmt::format(
      "POST /v1/archives HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n",
      world.token(Role::Operator));
  const std::string answer =
      world.raw(head + "3e8\r\n" + content(1000) + "\r\n1\r\nx\r\n0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());
}

TEST(ArchiveHandlersTest, AnArchiveThatWouldFillTheDiskIsRefusedBeforeItIsSent) {
  ApiWorld world;
  world.archive_intake.set_free(spare_room(1'000'000) + 999'999, 0);
  const std::string answer = world.raw(
      fmt::format("POST /v1/archives HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n"
                  "Content-Type: application/x-tar\r\nExpect: 100-continue\r\n"
                  "Content-Length: 1000000\r\n\r\n",
                  world.token(Role::Operator)));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 507 ")) << answer;
  EXPECT_NE(answer.find("\"code\":\"no_room\""), std::string::npos) << answer;
}

TEST(ArchiveHandlersTest, AnArchiveWithoutALengthStopsWhenTheDiskWouldBeFull) {
  ApiWorld world;
  world.archive_intake.set_free(kSpareRoom + 1, 2);
  std::string request = fmt::format(
      "POST /v1/archives HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n",
      world.token(Role::Operator));
  const std::string piece(1U << 20, 'a');
  for (int i = 0; i < 66; ++i) request += "100000\r\n" + piece + "\r\n";
  const std::string answer = world.raw(request + "0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 507 ")) << answer;
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());
}

TEST(ArchiveHandlersTest, AnIdIsNoPathToOtherFiles) {
  ApiWorld world;
  world.archive_folder.write("../granary-api-test.tar", "not yours");
  for (const char* id : {"..%2Fgranary-api-test", "..", "%2e%2e%2fgranary-api-test", "x%2fy"})
    EXPECT_EQ(world.get(fmt::format("/v1/archives/{}/content", id)).status, 404U) << id;
  EXPECT_TRUE(
      base::os::remove_file(world.archive_folder.path() + "/../granary-api-test.tar").has_value());
}

TEST(ArchiveHandlersTest, AFileThatIsNotAsItWasMadeIsNotGivenOut) {
  ApiWorld world;
  const std::string id = text_at(world.upload_archive("a whole archive").json(), "id");
  world.archive_folder.write(id + ".tar", "a part");
  const Reply short_one = world.get("/v1/archives/" + id + "/content");
  EXPECT_EQ(short_one.status, 500U);
  EXPECT_EQ(short_one.code(), "data_loss");
  ASSERT_TRUE(base::os::remove_file(world.archive_folder / (id + ".tar")).has_value());
  EXPECT_EQ(world.get("/v1/archives/" + id + "/content").status, 500U);
}

TEST(ArchiveHandlersTest, AConnectionIsKeptAfterAFile) {
  ApiWorld world;
  const std::string id = text_at(world.upload_archive("short").json(), "id");
  const std::string authorization =
      fmt::format("Host: api\r\nAuthorization: Bearer {}\r\n", world.token(Role::Operator));
  const std::string answers =
      world.raw(fmt::format("GET /v1/archives/{}/content HTTP/1.1\r\n{}\r\n"
                            "GET /healthz HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n",
                            id, authorization));
  EXPECT_NE(answers.find("\r\n\r\nshortHTTP/1.1 200 OK"), std::string::npos) << answers;
}

// Ends with an error on the socket, which is what a client sees that is cut off.
base::Task<void> take_nothing(std::uint16_t port, std::string request, bool* cut_off) {
  using base::asio::ip::tcp;
  tcp::socket socket(co_await base::asio::this_coro::executor, tcp::v4());
  socket.set_option(tcp::socket::receive_buffer_size(4096));
  base::ErrorCode error;
  co_await socket.async_connect({base::asio::ip::address_v4::loopback(), port}, base::into(error));
  co_await base::asio::async_write(socket, base::asio::buffer(request), base::into(error));
  co_await socket.async_wait(tcp::socket::wait_error, base::into(error));
  *cut_off = !error;
}

TEST(ArchiveHandlersTest, AClientThatTakesNothingIsCutOffAndItsPlaceIsFree) {
  Patience patience;
  patience.download_piece = std::chrono::seconds(1);  // a busy machine is no idle client
  patience.linger = std::chrono::milliseconds(60);
  ApiWorld world(patience);
  const std::string bytes = content(8U << 20);  // more than the sockets buffer
  const std::string id = text_at(world.upload_archive(bytes).json(), "id");
  for (std::size_t i = 0; i < 3; ++i) {
    bool cut_off = false;
    world.drive(take_nothing(world.server->port(),
                             fmt::format("GET /v1/archives/{}/content HTTP/1.1\r\nHost: api\r\n"
                                         "Authorization: Bearer {}\r\n\r\n",
                                         id, world.token(Role::Operator)),
                             &cut_off));
    EXPECT_TRUE(cut_off);
  }
  EXPECT_EQ(world.get("/v1/archives/" + id + "/content").body, bytes);
  const Reply metrics = world.ask({.target = "/metrics", .token = "none"});
  EXPECT_NE(metrics.body.find("granary_api_archive_transfers 0"), std::string::npos);
}

// Sends or takes a little, lets an hour go by, does so again; gives what the server said.
base::Task<void> trickle(ApiWorld& world, std::string first, std::string then,
                         std::string* received) {
  using base::asio::ip::tcp;
  tcp::socket socket(co_await base::asio::this_coro::executor, tcp::v4());
  socket.set_option(tcp::socket::receive_buffer_size(64 << 10));
  base::ErrorCode error;
  co_await socket.async_connect({base::asio::ip::address_v4::loopback(), world.server->port()},
                                base::into(error));
  co_await base::asio::async_write(socket, base::asio::buffer(first), base::into(error));
  std::vector<char> piece(4096);
  if (then.empty()) {
    co_await socket.async_wait(tcp::socket::wait_read, base::into(error));
  } else {
    // The piece has arrived when its file has grown.
    while (base::os::list_folder(world.folder.path())->empty())
      co_await base::asio::post(base::asio::use_awaitable);
  }
  world.control.world.clock.advance(std::chrono::hours(1));
  co_await base::asio::async_write(socket, base::asio::buffer(then), base::into(error));
  while (!error) {
    const std::size_t count =
        co_await socket.async_read_some(base::asio::buffer(piece), base::into(error));
    received->append(piece.data(), count);
  }
}

TEST(ArchiveHandlersTest, AnArchiveThatTricklesInIsGivenUp) {
  ApiWorld world;
  std::string answer;
  world.drive(
      trickle(world,
              fmt::format("POST /v1/archives HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n"
                          "Content-Type: application/x-tar\r\nContent-Length: 3000000\r\n\r\n{}",
                          world.token(Role::Operator), content(1000)),
              content(1'000'000), &answer));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_TRUE(base::os::list_folder(world.folder.path())->empty());
}

TEST(ArchiveHandlersTest, AClientThatTakesAnArchiveInATrickleIsCutOff) {
  ApiWorld world;
  const std::string bytes = content(8U << 20);  // more than the sockets buffer
  const std::string id = text_at(world.upload_archive(bytes).json(), "id");
  std::string taken;
  world.drive(trickle(world,
                      fmt::format("GET /v1/archives/{}/content HTTP/1.1\r\nHost: api\r\n"
                                  "Authorization: Bearer {}\r\n\r\n",
                                  id, world.token(Role::Operator)),
                      "", &taken));
  EXPECT_TRUE(taken.starts_with("HTTP/1.1 200 "));
  EXPECT_LT(taken.size(), bytes.size());
}

TEST(ArchiveHandlersTest, AnExportIsAnOperationWhoseResultNamesTheArchive) {
  ApiWorld world;
  world.add_tenant("acme");
  const base::json::object operation =
      ended(world, world.post("/v1/tenants/acme/export", R"({"keep": "2h"})"));
  ASSERT_EQ(text_at(operation, "state"), "succeeded") << base::json::print(operation);
  const base::json::object& result = operation.at("result").as_object();
  const Reply archive = world.get("/v1/archives/" + text_at(result, "archive"));
  EXPECT_EQ(archive.status, 200U) << archive.body;
  EXPECT_EQ(text_at(archive.json(), "kind"), "export");
  EXPECT_EQ(text_at(archive.json(), "tenant"), "acme");
  EXPECT_EQ(text_at(archive.json(), "sha256"), text_at(result, "archive_sha256"));
  for (const char* keep : {"0s", "31d", "soon", "-1h"}) {
    const Reply reply =
        world.post("/v1/tenants/acme/export", fmt::format(R"({{"keep": "{}"}})", keep));
    EXPECT_EQ(reply.status, 400U) << keep;
  }
  EXPECT_EQ(world.post("/v1/tenants/nobody/export", "").status, 404U);
}

TEST(ArchiveHandlersTest, ATenantIsRestoredFromAnArchiveThatWasBrought) {
  ApiWorld world;
  const std::string id = text_at(world.upload_archive("data").json(), "id");
  const std::string wish = fmt::format(R"({{"archive": "{}"}})", id);
  const base::json::object operation = ended(world, world.post("/v1/tenants/newer/restore", wish));
  EXPECT_EQ(text_at(operation, "state"), "succeeded") << base::json::print(operation);
  EXPECT_EQ(text_at(world.get("/v1/tenants/newer").json(), "state"), "active");

  EXPECT_EQ(world.post("/v1/tenants/newer/restore", wish).code(), "already_exists");
  const Reply replaced = world.post("/v1/tenants/newer/restore",
                                    fmt::format(R"({{"archive": "{}", "replace": true}})", id));
  EXPECT_EQ(text_at(ended(world, replaced), "state"), "succeeded");
}

TEST(ArchiveHandlersTest, ARestoreThatCannotBeIsRefusedBeforeAnythingHappens) {
  ApiWorld world;
  const std::string id = text_at(world.upload_archive("data").json(), "id");
  const auto restore = [&](const std::string& tenant, const std::string& members) {
    return world
        .post(fmt::format("/v1/tenants/{}/restore", tenant),
              fmt::format(R"({{"archive": "{}"{}}})", id, members))
        .status;
  };
  EXPECT_EQ(world.post("/v1/tenants/acme/restore", R"({"archive": "01UNKNOWN"})").status, 404U);
  EXPECT_EQ(world.post("/v1/tenants/acme/restore", "{}").status, 400U);
  EXPECT_EQ(restore("Acme", ""), 400U);
  EXPECT_EQ(restore("acme", R"(, "release": "nothing")"), 404U);
  EXPECT_EQ(restore("nobody", R"(, "replace": true)"), 404U);
  EXPECT_EQ(restore("acme", R"(, "replace": true, "release": "insight-1")"), 400U);
  EXPECT_EQ(restore("acme", R"(, "replace": "yes")"), 400U);
  EXPECT_EQ(world.get("/v1/tenants/acme").status, 404U);
}

TEST(ArchiveHandlersTest, OffboardingExportsKeepsCertifiesAndTheCertificateHolds) {
  ApiWorld world;
  world.add_tenant("acme");
  const Reply begun = world.post("/v1/tenants/acme/offboard", R"({"retain": "1d"})");
  ASSERT_EQ(begun.status, 202U) << begun.body;
  world.control.finish_all();
  const std::string id = text_at(begun.json(), "id");
  const base::json::object operation = world.get("/v1/operations/" + id).json();
  EXPECT_EQ(text_at(operation, "state"), "succeeded") << base::json::print(operation);
  EXPECT_EQ(text_at(operation.at("result").as_object(), "certificate"), id);

  const base::json::object list = world.get("/v1/certificates?tenant=acme").json();
  ASSERT_EQ(list.at("items").as_array().size(), 1U);
  EXPECT_FALSE(list.at("items").at(0).as_object().contains("envelope"));
  const base::json::object certificate = world.get("/v1/certificates/" + id).json();
  const base::json::object keys = world.get("/v1/signing-keys").json();
  const auto payload =
      base::unseal(certificate.at("envelope").as_object(), world.control.signing_key->public_pem());
  ASSERT_TRUE(payload.has_value()) << payload.error().message;
  EXPECT_NE(payload->find("\"tenant\":\"acme\""), std::string::npos) << *payload;
  EXPECT_EQ(text_at(keys.at("items").at(0).as_object(), "public_key"),
            world.signing_key->public_pem());
  EXPECT_EQ(world.get("/v1/certificates/01NOTHING").status, 404U);
  EXPECT_EQ(world.get("/v1/certificates?tenant=globex").json().at("items").as_array().size(), 0U);
}

// What lies there while the data of an offboarded tenant is retained.
std::size_t archives_in_retention(const std::string& wish) {
  ApiWorld world;
  world.add_tenant("acme");
  base::json::object operation = world.post("/v1/tenants/acme/offboard", wish).json();
  const std::string id = text_at(operation, "id");
  while (text_at(operation, "step") != "inspect")
    operation = world.get("/v1/operations/" + id + "?wait=1s").json();
  EXPECT_EQ(text_at(operation, "state"), "waiting");
  return world.get("/v1/archives?tenant=acme").json().at("items").as_array().size();
}

TEST(ArchiveHandlersTest, OffboardingMakesAFinalExportUnlessToldNotTo) {
  EXPECT_EQ(archives_in_retention(R"({"retain": "1d"})"), 1U);
  EXPECT_EQ(archives_in_retention(R"({"retain": "1d", "final_export": true})"), 1U);
  EXPECT_EQ(archives_in_retention(R"({"retain": "1d", "final_export": false})"), 0U);
}

}  // namespace
}  // namespace granary::api

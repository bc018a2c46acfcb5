#include <gtest/gtest.h>
#include <sys/stat.h>

#include "api/wire/archive_documents.h"
#include "base/hash.h"
#include "base/signature.h"
#include "base/testing/temporary_folder.h"
#include "cli/testing/command_line.h"

// Tenants as files: exported, fetched, restored; and the papers of what was destroyed.
namespace granary::cli {
namespace {

using base::testing::TemporaryFolder;
using testing::CommandLine;
using testing::Ran;

template <class Document>
std::string json(const Document& document) {
  return base::json::print(api_wire::to_json(document));
}

std::string archive_of(const std::string& bytes) {
  return json(api_wire::ArchiveDocument{"01ARC", "acme", "export", bytes.size(),
                                        base::sha256_hex(bytes), "2026-11-24T00:00:00.000Z",
                                        "2026-11-25T00:00:00.000Z"});
}

std::string operation(const std::string& state, const std::string& result = "") {
  api_wire::OperationDocument document;
  document.id = "01OP";
  document.kind = "tenant.export";
  document.subject = "tenant/acme";
  document.state = state;
  if (!result.empty()) document.result = base::json::parse_object(result, 1000).value();
  return json(document);
}

std::string file_text(const std::string& path) {
  return base::os::read_file(path, 1U << 30).value_or("(none)");
}

std::vector<std::string> names_in(const TemporaryFolder& folder) {
  return base::os::list_folder(folder.path()).value();
}

// An API that exports acme as these bytes, whatever it says of them.
void serve_export(CommandLine& line, const std::string& bytes, const std::string& said) {
  line.api.answer("POST /v1/tenants/acme/export", 202, operation("queued"));
  line.api.answer("GET /v1/operations/01OP", 200,
                  operation("succeeded", R"({"archive": "01ARC", "left_out":
                      {"sockets": 2, "set_id_bits": 1, "first": ["run/app.sock"]}})"));
  line.api.answer("GET /v1/archives/01ARC", 200, archive_of(said));
  line.api.answer("GET /v1/archives/01ARC/content", 200, bytes);
}

TEST(ExportCommandTest, AnExportIsWaitedForFetchedCheckedAndGivenItsName) {
  CommandLine line;
  const TemporaryFolder folder;
  const std::string bytes(700'001, 'd');
  serve_export(line, bytes, bytes);
  const Ran ran =
      line.run({"tenant", "export", "acme", "--to", folder / "acme.tar", "--keep", "2h"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(file_text(folder / "acme.tar"), bytes);
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"acme.tar"});
  struct stat status{};
  ASSERT_EQ(::stat((folder / "acme.tar").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_NE(ran.out.find(base::sha256_hex(bytes)), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("granary archive delete 01ARC"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("left out: 2 sockets, set-uid bits of 1 file (first: run/app.sock)"),
            std::string::npos)
      << ran.err;
  EXPECT_EQ(line.api.asked().at(0).body, R"({"keep":"2h"})");
  const Ran again =
      line.run({"tenant", "export", "acme", "--to", folder / "acme.tar", "--force", "-o", "json"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, archive_of(bytes) + "\n");
}

TEST(ExportCommandTest, WhatCameOtherThanItWasMadeIsThrownAway) {
  CommandLine line;
  const TemporaryFolder folder;
  folder.write("old.tar", "the old one");
  serve_export(line, "what came", "what was made");
  const Ran ran = line.run({"tenant", "export", "acme", "--to", folder / "old.tar", "--force"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("SHA-256"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("granary archive get 01ARC --to FILE"), std::string::npos) << ran.err;
  EXPECT_EQ(file_text(folder / "old.tar"), "the old one");
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"old.tar"});
}

TEST(ExportCommandTest, AFileThatIsThereOrCannotBeIsRefusedBeforeAnythingIsMade) {
  CommandLine line;
  const TemporaryFolder folder;
  folder.write("old.tar", "the old one");
  const auto code = [&](const std::string& to, bool force = false) {
    std::vector<std::string> arguments = {"tenant", "export", "acme", "--to", to};
    if (force) arguments.emplace_back("--force");
    return line.run(arguments).code;
  };
  EXPECT_EQ(code(folder / "old.tar"), 4);
  EXPECT_EQ(code("-"), 2);
  EXPECT_EQ(code(folder / ""), 2);
  EXPECT_EQ(code(folder.path(), true), 2);
  EXPECT_EQ(code(folder / "nowhere/acme.tar"), 3);
  EXPECT_TRUE(line.api.asked().empty());
  EXPECT_EQ(file_text(folder / "old.tar"), "the old one");
}

TEST(ExportCommandTest, CtrlCWhileItIsFetchedLeavesNoPart) {
  CommandLine line;
  const TemporaryFolder folder;
  serve_export(line, std::string(1000, 'd'), std::string(1000, 'd'));
  line.api.interrupt_at(4);
  const Ran ran = line.run({"tenant", "export", "acme", "--to", folder / "acme.tar"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(names_in(folder).empty());
}

TEST(ArchiveCommandTest, ArchivesAreListedFetchedAndDeleted) {
  CommandLine line;
  const TemporaryFolder folder;
  line.api.answer("GET /v1/archives", 200, R"({"items":[)" + archive_of("data") + "]}");
  line.api.answer("GET /v1/archives/01ARC", 200, archive_of("data"));
  line.api.answer("GET /v1/archives/01ARC/content", 200, "data");
  line.api.answer("DELETE /v1/archives/01ARC", 204, "");
  const Ran list = line.run({"archive", "list", "--tenant", "acme"});
  EXPECT_NE(list.out.find("01ARC    acme    export  4 B"), std::string::npos) << list.out;
  EXPECT_EQ(line.api.asked().at(0).target, "/v1/archives?tenant=acme&limit=1000");
  EXPECT_EQ(line.run({"archive", "get", "01ARC", "--to", folder / "a.tar"}).code, 0);
  EXPECT_EQ(file_text(folder / "a.tar"), "data");
  EXPECT_EQ(line.run({"archive", "get", "01ARC", "--to", folder / "a.tar"}).code, 4);
  EXPECT_EQ(line.run({"archive", "get", "01NO", "--to", folder / "b.tar"}).code, 3);
  EXPECT_EQ(line.run({"archive", "delete", "01ARC"}).code, 0);
}

std::string tenant() {
  api_wire::TenantDocument document;
  document.id = "acme";
  document.state = "active";
  document.url = "http://acme.localhost:8080";
  return json(document);
}

TEST(RestoreCommandTest, AnArchiveIsSentAndANewTenantMadeOfIt) {
  CommandLine line;
  const TemporaryFolder folder;
  folder.write("acme.tar", "data");
  line.api.answer("GET /v1/tenants/acme", 404,
                  R"({"type":"t","title":"t","status":404,"detail":"no","code":"not_found",)"
                  R"("advice":"","context":[],"request_id":"r"})");
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  line.api.answer("POST /v1/archives", 201, archive_of("data"));
  line.api.answer("POST /v1/tenants/acme/restore", 202, operation("queued"));
  line.api.answer("GET /v1/operations/01OP", 200, operation("succeeded"));
  const Ran ran = line.run(
      {"tenant", "restore", "acme", "--from", folder / "acme.tar", "--release", "insight-1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "acme is active: http://acme.localhost:8080\n");
  const auto asked = line.api.asked();
  EXPECT_EQ(asked.at(1).type, "application/x-tar");
  EXPECT_EQ(asked.at(1).body, "data");
  EXPECT_EQ(asked.at(2).body, R"({"archive":"01ARC","release":"insight-1"})");
}

TEST(RestoreCommandTest, ATenantThatIsThereIsNotTouchedAndNothingIsSent) {
  CommandLine line;
  const TemporaryFolder folder;
  folder.write("acme.tar", "data");
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  const Ran ran = line.run({"tenant", "restore", "acme", "--from", folder / "acme.tar"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("--replace"), std::string::npos) << ran.err;
  EXPECT_EQ(line.api.asked().size(), 1U);
}

TEST(RestoreCommandTest, ReplacingAsksForTheName) {
  CommandLine line;
  const TemporaryFolder folder;
  folder.write("acme.tar", "data");
  line.api.answer("GET /v1/tenants/acme", 200, tenant());
  line.api.answer("POST /v1/archives", 201, archive_of("data"));
  line.api.answer("POST /v1/tenants/acme/restore", 202, operation("queued"));
  line.api.answer("GET /v1/operations/01OP", 200, operation("succeeded"));
  const std::vector<std::string> command = {"tenant", "restore",           "acme",
                                            "--from", folder / "acme.tar", "--replace"};
  EXPECT_EQ(line.run(command, "yes\n").code, 4);
  EXPECT_EQ(line.api.asked().size(), 1U);
  EXPECT_EQ(line.run(command, "acme\n").code, 0);
  EXPECT_EQ(line.api.asked().at(3).body, R"({"archive":"01ARC","replace":true})");
}

TEST(RestoreCommandTest, WhatIsRefusedIsTakenAwayAgain) {
  CommandLine line;
  const TemporaryFolder folder;
  folder.write("acme.tar", "data");
  line.api.answer("POST /v1/archives", 201, archive_of("data"));
  line.api.answer("DELETE /v1/archives/01ARC", 204, "");
  const Ran ran = line.run({"tenant", "restore", "acme", "--from", folder / "acme.tar"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(line.api.asked().back().method, "DELETE");
}

TEST(RestoreCommandTest, ThereIsOneSourceAndItExists) {
  CommandLine line;
  const TemporaryFolder folder;
  folder.write("acme.tar", "data");
  EXPECT_EQ(line.run({"tenant", "restore", "acme"}).code, 2);
  EXPECT_EQ(line.run({"tenant", "restore", "acme", "--from", folder / "no.tar"}).code, 2);
  EXPECT_EQ(
      line.run({"tenant", "restore", "acme", "--from", folder / "acme.tar", "--archive", "01ARC"})
          .code,
      2);
  EXPECT_TRUE(line.api.asked().empty());
}

TEST(OffboardCommandTest, WhatIsKeptAndWhatIsProvedIsTold) {
  CommandLine line;
  const std::string plan =
      json(api_wire::OffboardPlanDocument{"acme", "active", 1000, 0, {"refuse all traffic"}});
  for (int run = 0; run < 2; ++run) {
    line.api.answer("POST /v1/tenants/acme/offboard", 200, plan);
    line.api.answer("POST /v1/tenants/acme/offboard", 202, operation("queued"));
  }
  api_wire::OperationDocument waiting;
  waiting.id = "01OP";
  waiting.state = "waiting";
  waiting.updated = "2026-11-24T00:00:00.000Z";
  waiting.next_attempt = "2026-12-24T00:00:00.000Z";
  waiting.result = base::json::parse_object(R"({"archive": "01OP"})", 100).value();
  line.api.answer("GET /v1/operations/01OP", 200, json(waiting));
  line.api.answer("GET /v1/operations/01OP", 200,
                  operation("succeeded", R"({"certificate": "01OP"})"));
  const Ran kept = line.run({"tenant", "offboard", "acme"}, "acme\n");
  EXPECT_EQ(kept.code, 0) << kept.err;
  EXPECT_NE(kept.out.find("granary archive get 01OP --to FILE"), std::string::npos) << kept.out;
  EXPECT_NE(kept.err.find("refuse all traffic"), std::string::npos) << kept.err;
  const Ran gone =
      line.run({"tenant", "offboard", "acme", "--retain", "0s", "--no-export", "--yes"});
  EXPECT_NE(gone.out.find("granary certificate show 01OP"), std::string::npos) << gone.out;
  const auto asked = line.api.asked();
  EXPECT_EQ(asked.at(asked.size() - 2).body,
            R"({"retain":"0s","dry_run":false,"final_export":false})");
}

class CertificateCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    key_ = std::move(*base::SigningKey::open(folder_ / "a.key"));
    other_ = std::move(*base::SigningKey::open(folder_ / "b.key"));
  }
  void serve(const base::json::object& envelope) {
    line_.api.answer(
        "GET /v1/certificates/01OP", 200,
        json(api_wire::CertificateDocument{"01OP", "acme", "2026-11-24T00:00:00.000Z", envelope}));
  }
  void serve_key(const base::SigningKey& key) {
    api_wire::SigningKeyList keys;
    keys.items.push_back({key.id(), key.public_pem()});
    line_.api.answer("GET /v1/signing-keys", 200, json(keys));
  }
  base::json::object envelope() const {
    return base::seal(*key_, "application/x", R"({"tenant": "ac\u001b[2Jme"})");
  }

  CommandLine line_;
  TemporaryFolder folder_;
  std::unique_ptr<base::SigningKey> key_;
  std::unique_ptr<base::SigningKey> other_;
};

TEST_F(CertificateCommandTest, ItsTextIsShownAndItsSignatureCheckedAgainstTheInstallationsKey) {
  serve(envelope());
  serve_key(*key_);
  const Ran ran = line_.run({"certificate", "show", "01OP", "--verify"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "tenant: ac\\x1b[2Jme\n");
  EXPECT_NE(ran.err.find("the signature holds, checked against this installation's key"),
            std::string::npos)
      << ran.err;
  const Ran whole = line_.run({"certificate", "show", "01OP", "-o", "json"});
  EXPECT_NE(whole.out.find("\"signatures\""), std::string::npos) << whole.out;
}

TEST_F(CertificateCommandTest, ACertificateOfAnotherKeyOrAChangedOneIsRefused) {
  serve(envelope());
  serve_key(*other_);
  const Ran foreign = line_.run({"certificate", "show", "01OP", "--verify"});
  EXPECT_EQ(foreign.code, 4);
  EXPECT_EQ(foreign.out, "");
  base::json::object changed = envelope();
  changed["payload"] = base::to_base64(R"({"tenant": "globex"})");
  serve(changed);
  EXPECT_EQ(line_.run({"certificate", "show", "01OP", "--verify"}).code, 4);
}

TEST_F(CertificateCommandTest, AKeyThatAPersonKeptGoesBeforeThePlatforms) {
  serve(envelope());
  serve_key(*other_);
  folder_.write("kept.pem", key_->public_pem());
  const Ran ran = line_.run({"certificate", "show", "01OP", "--key", folder_ / "kept.pem"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("the key in " + folder_ / "kept.pem"), std::string::npos) << ran.err;
}

TEST_F(CertificateCommandTest, WithoutTheInstallationsKeyTheEmbeddedOneIsNamedAsSuch) {
  serve(envelope());
  const Ran ran = line_.run({"certificate", "show", "01OP", "--verify"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("the key inside of the certificate alone"), std::string::npos) << ran.err;
}

TEST_F(CertificateCommandTest, CertificatesAreListed) {
  line_.api.answer("GET /v1/certificates", 200,
                   R"({"items":[{"operation":"01OP","tenant":"acme",)"
                   R"("created":"2026-11-23T00:00:00.000Z"}]})");
  const Ran ran = line_.run({"certificate", "list"});
  EXPECT_EQ(ran.out, "CERTIFICATE  TENANT  AGE\n01OP         acme    24h\n");
}

}  // namespace
}  // namespace granary::cli

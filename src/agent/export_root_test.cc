#include <sstream>

#include "agent/testing/agent_fixture.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "wire/data_archive.h"

namespace granary::agent {
namespace {

using base::Code;
using base::json::object;
using std::chrono::seconds;

constexpr const char* kTransfer = "01J8Z0000000000000000000AA";

// Writes rows as fast as it can, in WAL mode; answers how many are committed, how long the longest
// took in microseconds, and the first error.
constexpr const char* kWriter = R"(
import os, socket, sqlite3, threading, time
state = {'rows': 0, 'longest': 0, 'error': 'none'}
def write():
    try:
        db = sqlite3.connect('/data/app.db' if os.path.isdir('/data') else
                             os.environ['DATA_DIR'] + '/app.db', isolation_level=None)
        db.execute('PRAGMA journal_mode=WAL')
        db.execute('CREATE TABLE IF NOT EXISTS rows(id INTEGER PRIMARY KEY, text)')
        while True:
            since = time.monotonic()
            db.execute('INSERT INTO rows(text) VALUES(?)', (os.urandom(100).hex(),))
            state['longest'] = max(state['longest'], int((time.monotonic() - since) * 1e6))
            state['rows'] += 1
    except Exception as error:
        state['error'] = repr(error)
threading.Thread(target=write, daemon=True).start()
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    connection.recv(100)
    connection.sendall(f"{state['rows']} {state['longest']} {state['error']}".encode())
    state['longest'] = 0
    connection.close()
)";

// What an exported database holds, as another program than the app finds it.
constexpr const char* kLook = R"(
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute('PRAGMA integrity_check').fetchone()[0], *db.execute(
    'SELECT count(*), ifnull(max(id), 0) FROM rows').fetchone())
)";

class ExportTest : public AgentFixture {
 protected:
  void SetUp() override {
    AgentFixture::SetUp();
    if (agent_) ASSERT_TRUE(base::os::make_folders(paths_.transfers(), 0700));
  }
  struct Writer {
    std::int64_t rows = 0;
    std::int64_t longest = 0;
    std::string error;
  };
  Writer writer() {
    Writer found;
    std::istringstream(ask({base::AccountId("acme"), "api"}, "x")) >> found.rows >> found.longest >>
        found.error;
    return found;
  }
  void start_writing() {
    auto spec = spec_for("acme", kWriter, 1);
    spec.services[0].idle.reset();  // it writes without anybody asking
    ASSERT_TRUE(apply(spec).has_value());
    ASSERT_TRUE(wake("acme").has_value());
    wait_for_rows(100);
  }
  void wait_for_rows(std::int64_t rows) {
    for (int i = 0; i < 3'000 && writer().rows < rows; ++i)
      base::os::pause_thread(std::chrono::milliseconds(10));
    ASSERT_GE(writer().rows, rows);
  }
  wire::AgentResult<object> export_data() {
    object arguments = account("acme");
    arguments["transfer"] = kTransfer;
    return call(wire::Verb::Export, arguments);
  }
  wire::AgentResult<object> import_data(const object& written) {
    object arguments = account("acme");
    arguments["transfer"] = kTransfer;
    arguments["sha256"] = written.at("sha256");
    return call(wire::Verb::Import, arguments);
  }
  // "ok ROWS LAST" of the transfer's database.
  std::string look() {
    const std::string folder = folder_ + "/looked";
    EXPECT_TRUE(base::os::remove_tree(folder));
    EXPECT_TRUE(base::os::make_folders(folder, 0700));
    const auto unpacked = wire::unpack_data(paths_.transfer(kTransfer), folder, {});
    EXPECT_TRUE(unpacked.has_value()) << describe(unpacked.error());
    return base::os::run_program({"/usr/bin/python3", "-c", kLook, folder + "/app.db"}, seconds(60))
        ->output;
  }
  void suspend() {
    auto spec = spec_for("acme", kWriter, 3);
    spec.traffic = wire::Traffic::Suspended;
    const auto applied = apply(spec);
    ASSERT_TRUE(applied.has_value()) << describe(applied.error().error);
  }
};

TEST_F(ExportTest, WhileAnAppWritesEachExportHoldsEveryRowThatWasCommittedBefore) {
  start_writing();
  for (int round = 0; round < 5; ++round) {
    const Writer before = writer();
    const auto written = export_data();
    ASSERT_TRUE(written.has_value()) << describe(written.error().error);
    const Writer after = writer();
    EXPECT_EQ(after.error, "none");
    EXPECT_GT(after.rows, before.rows);
    std::string health;
    std::int64_t rows = 0;
    std::int64_t last = 0;
    std::istringstream(look()) >> health >> rows >> last;
    EXPECT_EQ(health, "ok");
    EXPECT_GE(rows, before.rows);
    EXPECT_LE(rows, after.rows + 1);  // one may be committed, and not counted yet
    EXPECT_EQ(rows, last);            // none is missing
    const auto paused = written->at("paused_us").to_number<std::int64_t>();
    EXPECT_GT(paused, 0);
    EXPECT_LT(paused, 5'000'000);
    // The app never waited for longer than was said, but for what a write takes anyway.
    EXPECT_LT(after.longest, paused + 2'000'000);
  }
}

TEST_F(ExportTest, ARestoredAccountGoesOnWhereItsExportEnded) {
  start_writing();
  const auto written = export_data();
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(import_data(*written).error().error.code, Code::Conflict);
  std::string health;
  std::int64_t exported = 0;
  std::istringstream(look()) >> health >> exported;
  suspend();
  const auto imported = import_data(*written);
  ASSERT_TRUE(imported.has_value()) << describe(imported.error().error);
  ASSERT_TRUE(apply("acme", kWriter, 4).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  wait_for_rows(10);
  EXPECT_EQ(writer().error, "none");
  ASSERT_TRUE(export_data().has_value());
  std::int64_t rows = 0;
  std::int64_t last = 0;
  std::istringstream(look()) >> health >> rows >> last;
  EXPECT_EQ(health, "ok");
  EXPECT_GE(rows, exported + 10);
  EXPECT_EQ(rows, last);
}

TEST_F(ExportTest, ASleepingOrSuspendedAccountIsExportedWithoutBeingWoken) {
  start_writing();
  ASSERT_TRUE(apply("acme", kWriter, 2).has_value());  // with an idle time
  ASSERT_TRUE(call(wire::Verb::Sleep, account("acme")).has_value());
  ASSERT_TRUE(export_data().has_value());
  EXPECT_TRUE(run(parts_->launcher().leftovers()).empty());
  EXPECT_TRUE(look().starts_with("ok ")) << look();
  suspend();
  ASSERT_TRUE(export_data().has_value());
  EXPECT_TRUE(look().starts_with("ok ")) << look();
}

TEST_F(ExportTest, ATransferIsNamedByAUlidAlone) {
  ASSERT_TRUE(apply("acme", kWriter, 1).has_value());
  object arguments = account("acme");
  arguments["sha256"] = std::string(64, '0');
  for (const char* name : {"", "../x", "x", "/etc/passwd", "01J8Z0000000000000000000A/"}) {
    arguments["transfer"] = name;
    for (const wire::Verb verb : {wire::Verb::Export, wire::Verb::Import})
      EXPECT_EQ(call(verb, arguments).error().error.code, Code::InvalidArgument) << name;
  }
}

TEST_F(ExportTest, WithoutIsolationItIsPackedAsItIsFound) {
  end(Accounts::Silos::LeaveRunning);
  begin(Isolation::None);
  ASSERT_TRUE(apply("acme",
                    http_app("open(os.environ['DATA_DIR'] + '/n', 'a').write('x') and "
                             "open(os.environ['DATA_DIR'] + '/n').read()"),
                    1)
                  .has_value());
  ASSERT_TRUE(wake("acme").has_value());
  const base::ServiceId service{base::AccountId("acme"), "api"};
  EXPECT_EQ(ask(service, "x"), "x");
  const auto written = export_data();
  ASSERT_TRUE(written.has_value()) << describe(written.error().error);
  EXPECT_EQ(written->at("files").to_number<int>(), 1);
  EXPECT_EQ(ask(service, "x"), "xx");
  suspend();
  const auto imported = import_data(*written);
  ASSERT_TRUE(imported.has_value()) << describe(imported.error().error);
  ASSERT_TRUE(apply("acme", http_app("open(os.environ['DATA_DIR'] + '/n').read()"), 4).has_value());
  ASSERT_TRUE(wake("acme").has_value());
  EXPECT_EQ(ask(service, "x"), "x");
}

}  // namespace
}  // namespace granary::agent

// granary-init in port mode: forwarding between the silo's socket and the app's TCP port.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "agent/init/testing/init_runner.h"

namespace granary::init {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

// What every app here begins with: a listener on $PORT and a thread for each connection.
constexpr char kApp[] = R"(
import os, socket, struct, sys, threading, time
port = int(os.environ['PORT'])
def listen():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('127.0.0.1', port))
    listener.listen(1024)
    return listener
def serve(handle):
    listener = listen()
    while True:
        client, _ = listener.accept()
        threading.Thread(target=handle, args=(client,), daemon=True).start()
def read_all(client):
    parts = []
    while True:
        part = client.recv(1 << 16)
        if not part: return b''.join(parts)
        parts.append(part)
def echo(client):
    client.sendall(read_all(client))
    client.close()
)";

class InitPortTest : public testing::Test {
 protected:
  void run(const std::string& script, std::vector<std::string> wrapper = {}) {
    InitRunner::Settings settings;
    port_ = free_port();
    settings.listen = std::to_string(port_);
    settings.wrapper = std::move(wrapper);
    settings.command = {"python3", "-S", "-c", kApp + script};
    init_ = std::make_unique<InitRunner>(std::move(settings));
  }

  std::uint16_t port_ = 0;
  std::unique_ptr<InitRunner> init_;
};

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 12345;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST_F(InitPortTest, ForwardsAndPassesOnThatASideHasFinished) {
  run("serve(echo)");
  EXPECT_EQ(init_->ask("hello"), "hello");  // the app answers only after the client's end
  EXPECT_THAT(init_->status(), ElementsAre("started", "ready"));
}

TEST_F(InitPortTest, ForwardsAnAnswerThatGoesOnAfterTheAppFinishedReading) {
  run(R"(
def handle(client):
    client.sendall(b'early')
    client.shutdown(socket.SHUT_WR)
    rest = read_all(client)
    print('read', len(rest), flush=True)
serve(handle))");
  const sys::Fd client = init_->connect();
  EXPECT_EQ(receive_all(client), "early");  // the app's half is closed, ours still open
  send_all(client, "abcdef");
  sys::end_sending(client.get());
  EXPECT_TRUE(init_->wait_for_log("read 6"));
}

TEST_F(InitPortTest, HoldsConnectionsUntilTheAppListens) {
  run(R"(
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
print('not yet', os.getpid(), flush=True)
signal.sigwait({signal.SIGUSR1})
serve(echo))");
  ASSERT_TRUE(init_->wait_for_log("not yet"));
  std::vector<sys::Fd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(init_->connect());
    send_all(clients.back(), std::to_string(i));
    sys::end_sending(clients.back().get());
  }
  EXPECT_THAT(init_->status(), ElementsAre("started"));
  const std::string said = init_->logged("out").at(0);
  ::kill(std::stoi(said.substr(said.rfind(' '))), SIGUSR1);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(receive_all(clients[i]), std::to_string(i));
  }
  EXPECT_THAT(init_->status(), ElementsAre("started", "ready"));
}

TEST_F(InitPortTest, CarriesLargeBodiesBothWaysUnchanged) {
  run("serve(echo)");
  const std::string body = pattern(10'000'000);
  const std::string answer = init_->ask(body);
  EXPECT_EQ(answer.size(), body.size());
  EXPECT_TRUE(answer == body);
}

TEST_F(InitPortTest, CarriesBothDirectionsAtOnceUnderBackPressure) {
  run(R"(
def handle(client):
    while True:
        part = client.recv(1 << 16)
        if not part: break
        client.sendall(part)
    client.close()
serve(handle))");
  const std::string body = pattern(10'000'000);
  const sys::Fd client = init_->connect();
  // Reads begin only once the writer can be stuck: all buffers on the way are full by then.
  auto writer = std::async(std::launch::async, [&] {
    send_all(client, body);
    sys::end_sending(client.get());
  });
  const std::string answer = receive_all(client);
  writer.get();
  EXPECT_TRUE(answer == body) << answer.size();
}

TEST_F(InitPortTest, HoldsLittleForAClientThatDoesNotRead) {
  run(R"(
def handle(client):
    sent = 0
    client.settimeout(0.3)
    try:
        while sent < 1 << 30: sent += client.send(b'x' * 65536)
    except TimeoutError: pass
    print('stuck after', sent, flush=True)
serve(handle))");
  std::vector<sys::Fd> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(init_->connect());
    send_all(clients.back(), "go");
  }
  ASSERT_TRUE(wait_until([&] { return init_->logged("out").size() == clients.size(); }));
  std::ifstream file("/proc/" + std::to_string(init_->pid()) + "/status");
  long kilobytes = 0;
  for (std::string line; std::getline(file, line);) {
    std::sscanf(line.c_str(), "VmRSS: %ld", &kilobytes);
  }
  EXPECT_GT(kilobytes, 0);
  EXPECT_LT(kilobytes, 6 * 1024);
}

TEST_F(InitPortTest, ServesManyConnectionsAtOnce) {
  run("serve(echo)");
  std::vector<sys::Fd> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(init_->connect());
    send_all(clients.back(), "number " + std::to_string(i));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    sys::end_sending(clients[i].get());
    EXPECT_EQ(receive_all(clients[i]), "number " + std::to_string(i));
  }
}

TEST_F(InitPortTest, LeavesConnectionsBeyondItsBoundInTheQueueUntilOneEnds) {
  // 32 reserved descriptors and two for each connection: 4 connections.
  run(R"(
current = 0
lock = threading.Lock()
def handle(client):
    global current
    with lock:
        current += 1
        print(current, flush=True)
    read_all(client)
    with lock: current -= 1
    client.sendall(b'done')
    client.close()
serve(handle))",
      {"prlimit", "--nofile=40:40"});
  std::vector<sys::Fd> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(init_->connect());
  ASSERT_TRUE(wait_until([&] { return init_->logged("out").size() == 4; }));
  for (sys::Fd& client : clients) {
    sys::end_sending(client.get());
    EXPECT_EQ(receive_all(client), "done");
    client.reset();
  }
  const std::vector<std::string> at_once = init_->logged("out");
  EXPECT_EQ(at_once.size(), clients.size());
  EXPECT_THAT(at_once, testing::Contains("4"));
  EXPECT_THAT(at_once, testing::Each(testing::Lt("5")));
}

TEST_F(InitPortTest, ClosesTheClientWhenTheAppResets) {
  run(R"(
def handle(client):
    client.recv(1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    client.close()
serve(handle))");
  const sys::Fd client = init_->connect();
  send_all(client, "x");
  char byte = 0;
  EXPECT_LE(::recv(client.get(), &byte, 1, 0), 0);
}

TEST_F(InitPortTest, TellsTheAppWhenTheClientIsGone) {
  run(R"(
def handle(client):
    print('got', client.recv(1), flush=True)
    try:
        while True: client.sendall(b'y' * 65536)
    except OSError: print('gone', flush=True)
serve(handle))");
  {
    const sys::Fd client = init_->connect();
    send_all(client, "x");
    ASSERT_TRUE(init_->wait_for_log("got"));
  }
  EXPECT_TRUE(init_->wait_for_log("gone"));
}

TEST_F(InitPortTest, DeliversAnAnswerGivenBeforeTheRequestWasRead) {
  // As a server does that refuses a body: answers, closes, and so resets.
  run(R"(
def handle(client):
    client.recv(10)
    client.sendall(b'413 too large')
    client.close()
serve(handle))");
  const sys::Fd client = init_->connect();
  send_all(client, pattern(100'000));
  EXPECT_EQ(receive_all(client), "413 too large");
}

TEST_F(InitPortTest, ClosesAtOnceWhatComesAfterTheAppStoppedListening) {
  run(R"(
listener = listen()
client, _ = listener.accept()
listener.close()
client.sendall(b'last')
client.close()
time.sleep(1000))");
  EXPECT_EQ(init_->ask(""), "last");
  EXPECT_EQ(receive_all(init_->connect()), "");
}

TEST_F(InitPortTest, FinishesWhatIsUnderWayWhenStopping) {
  run(R"(
import signal
def handle(client):
    client.recv(1)
    print('asked', flush=True)
    stop.wait()
    client.sendall(b'z' * 3000000)
    client.close()
    os._exit(0)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
serve(handle))");
  const sys::Fd client = init_->connect();
  send_all(client, "x");
  ASSERT_TRUE(init_->wait_for_log("asked"));
  init_->signal(SIGTERM);
  ASSERT_TRUE(init_->wait_for_status("stopping"));
  EXPECT_EQ(receive_all(client).size(), 3'000'000u);
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->status(), ElementsAre("started", "ready", "stopping", "exited 0"));
}

TEST_F(InitPortTest, GivesTheAppNoListener) {
  run("print(os.path.exists('/proc/self/fd/3'), 'LISTEN_FDS' in os.environ)");
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("False False"));
}

}  // namespace
}  // namespace granary::init

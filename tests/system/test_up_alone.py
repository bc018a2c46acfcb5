"""One `granary up` for one data directory, and what was removed under it comes back."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from control import GRANARY
from platform_up import app_folder, free_port, needs_root, wait_for

pytestmark = needs_root

REFUSED = 4
AT_ONCE = 5  # seconds, on a machine that does other things as well


def try_up(platform, *options, command="up", seconds=60):
    """Another process on the platform's directory, at addresses of its own."""
    given = {"--data-dir": platform.data_dir, "--uid-base": str(platform.uid_base),
             "--gateway": f"127.0.0.1:{free_port()}", "--api": f"127.0.0.1:{free_port()}",
             "--gateway-admin": "off", "--egress-admin": "off"}
    given.update(zip(options[::2], options[1::2], strict=True))
    return subprocess.run(
        [GRANARY, command, *(word for pair in given.items() for word in pair)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=seconds)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def readiness(platform):
    return get(f"{platform.api}/readyz")


@pytest.fixture
def watched(platform):
    """With the gateway's own /readyz, and a tenant that is up and one that sleeps."""
    assert platform.stop() == 0
    platform.gateway_admin = f"127.0.0.1:{free_port()}"
    platform.start()
    platform.tenant("up")
    platform.tenant("down", idle="1s")
    platform.up = platform.who("up")
    platform.wait_for_phase("down", "asleep")
    return platform


def gateway_readiness(platform):
    return get(f"http://{platform.gateway_admin}/readyz")


def test_a_second_up_on_other_ports_is_refused_at_once_and_harms_nothing(platform):
    platform.tenant("acme")
    before = platform.who("acme")
    began = time.monotonic()
    second = try_up(platform)
    assert time.monotonic() - began < AT_ONCE
    assert second.returncode == REFUSED, second.stderr
    assert len(second.stderr.splitlines()) == 1, second.stderr
    assert f"'granary up' (process {platform.process.pid}, since 20" in second.stderr
    assert platform.data_dir in second.stderr
    assert f"ps -fp {platform.process.pid}" in second.stderr
    time.sleep(1)
    assert platform.who("acme").nonce == before.nonce
    assert platform.granary("status")["not_ready"] == []


@pytest.mark.parametrize("command", ["up", "agent"])
def test_who_has_the_directory_is_said_before_any_option_of_the_second_one(shared, command):
    refused = try_up(shared, "--uid-base", str(shared.uid_base + 100_000), command=command)
    assert refused.returncode == REFUSED, refused.stderr
    assert f"(process {shared.process.pid}, since 20" in refused.stderr


@pytest.mark.parametrize("role", ["agent", "control", "gateway", "egress"])
def test_a_role_alone_is_refused_while_up_runs(shared, role):
    refused = try_up(shared, command=role)
    assert refused.returncode == REFUSED, refused.stderr
    assert f"(process {shared.process.pid}" in refused.stderr


def test_up_is_refused_while_a_role_runs_alone_and_so_is_that_role_again(platform):
    assert platform.stop() == 0
    agent = subprocess.Popen(
        [GRANARY, "agent", "--data-dir", platform.data_dir, "--uid-base", str(platform.uid_base)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        socket = pathlib.Path(platform.data_dir, "run/agent.sock")
        wait_for(socket.exists, 20, "the agent answers")
        for command in ("up", "agent"):
            refused = try_up(platform, command=command)
            assert refused.returncode == REFUSED, refused.stderr
            assert f"'granary agent' (process {agent.pid}" in refused.stderr
    finally:
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(timeout=30) == 0
    platform.start()


def test_an_up_that_was_killed_holds_nothing_and_the_next_one_takes_over(platform):
    platform.tenant("acme")
    before = platform.who("acme")
    platform.process.kill()
    platform.process.wait()
    platform.start()  # at once: its roles may be ending still, and have the listeners
    assert platform.who("acme").nonce == before.nonce, "a silo that was left holds nothing up"


@contextlib.contextmanager
def leftover_agent(platform):
    """Holds what an agent holds, as one does that ends slowly after the death of its `up`."""
    folder = os.open(platform.data_dir + "/accounts", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def test_the_next_up_waits_for_what_a_killed_one_left_and_then_names_it(platform):
    assert platform.stop() == 0
    with leftover_agent(platform):
        began = time.monotonic()
        refused = try_up(platform)
        assert refused.returncode == REFUSED, refused.stderr
        assert time.monotonic() - began > AT_ONCE
        assert "waiting for at most 25s" in refused.stderr
        assert f"(process {os.getpid()}, since" in refused.stderr.splitlines()[-1]
    with leftover_agent(platform) as folder:
        threading.Timer(2, lambda: fcntl.flock(folder, fcntl.LOCK_UN)).start()
        platform.start()


def test_the_agents_socket_comes_back_when_it_was_removed(watched):
    agent = watched.pid("agent")
    socket = pathlib.Path(watched.data_dir, "run/agent.sock")
    socket.unlink()
    wait_for(socket.exists, 5, "the socket is there again")
    assert watched.who("down")
    watched.tenant("new")
    assert watched.pid("agent") == agent


def test_run_emptied_under_the_platform_comes_back(watched):
    run = pathlib.Path(watched.data_dir, "run")
    for path in run.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    wait_for(lambda: (run / "board").exists() and (run / "agent.sock").exists(), 20,
             "what was in it is there again")

    def all_serve():
        with contextlib.suppress(OSError, AssertionError):
            return watched.who("up") and watched.who("down")
        return None
    wait_for(all_serve, 40, "both tenants are served")
    wait_for(lambda: readiness(watched)[0] == 200, 20, "control is ready")
    assert gateway_readiness(watched) == (200, "ready\n")
    watched.tenant("new")
    assert watched.who("new")


def test_readiness_and_status_say_which_role_is_away_until_it_is_back(watched):
    assert readiness(watched) == (200, "ok\n")
    assert gateway_readiness(watched) == (200, "ready\n")
    with watched.without("agent"):
        code, why = wait_for(lambda: (found := readiness(watched))[0] == 503 and found, 20,
                             "control is not ready")
        assert "the agent has not answered since 20" in why
        code, why = wait_for(lambda: (found := gateway_readiness(watched))[0] == 503 and found, 20,
                             "the gateway is not ready")
        assert "the agent cannot be reached" in why
        done = watched.run("status")
        assert done.returncode == 5, done.stderr
        said = r"not ready: +the agent has not answered since 20"
        assert re.search(said, done.stdout), done.stdout
        assert watched.who("up").nonce == watched.up.nonce
    wait_for(watched.ready, 30, "the agent is back")
    wait_for(lambda: (readiness(watched)[0], gateway_readiness(watched)[0]) == (200, 200), 20,
             "all are ready")
    with watched.without("gateway"):
        code, why = wait_for(lambda: (found := readiness(watched))[0] == 503 and found, 20,
                             "control is not ready")
        assert "the gateway has not answered since 20" in why
    wait_for(lambda: readiness(watched)[0] == 200, 20, "control is ready")


@pytest.fixture
def with_egress(platform):
    """A platform whose egress role is needed."""
    folder = app_folder(platform.folder / "reaching")
    manifest = folder / "granary.yaml"
    text = manifest.read_text()
    manifest.write_text(text.replace('"app"', '"egress": ["out.example:443"], "app"'))
    platform.granary("tenant", "create", "acme", "--release",
                     platform.granary("release", "create", str(folder))["id"])
    return platform


@pytest.mark.parametrize("role", ["agent", "gateway", "egress", "control"])
def test_a_role_that_is_stopped_is_said_soon_by_status_and_readiness(with_egress, role):
    stopped = with_egress.pid(role)

    def status():
        began = time.monotonic()
        done = with_egress.run("status")
        assert time.monotonic() - began < AT_ONCE, done
        return done
    os.kill(stopped, signal.SIGSTOP)
    try:
        time.sleep(1)  # what was found before is told for so long
        done = status()
        assert done.returncode == 5, done
        assert re.search(rf"{role}.* (has not answered|does not answer)", done.stderr), done.stderr
        if role != "control":
            assert re.search(rf"not ready: +the {role}", done.stdout), done.stdout
            began = time.monotonic()
            code, why = readiness(with_egress)
            assert (code, time.monotonic() - began < AT_ONCE) == (503, True), why
    finally:
        os.kill(stopped, signal.SIGCONT)
    wait_for(with_egress.ready, 30, f"{role} is back")


def test_what_control_knows_is_told_soon_while_the_agent_is_stopped(with_egress):
    stopped = with_egress.pid("agent")
    os.kill(stopped, signal.SIGSTOP)
    try:
        for command, code in [("tenant show acme", 0), ("tenant logs acme", 5),
                              ("tenant logs acme --access", 5), ("drift", 5),
                              ("tenant offboard acme --dry-run", 5)]:
            began = time.monotonic()
            done = with_egress.run(*command.split())
            assert time.monotonic() - began < AT_ONCE, (command, done)
            assert done.returncode == code, (command, done)
            assert re.search("the agent (has not answered|does not answer)",
                             done.stdout + done.stderr), (command, done)
    finally:
        os.kill(stopped, signal.SIGCONT)
    wait_for(with_egress.ready, 30, "the agent is back")


def test_status_while_the_agent_is_restarting_is_of_one_mind(watched):
    for _ in range(3):
        old = watched.kill("agent")
        began = time.monotonic()
        done = watched.run("status", "-o", "json")
        assert time.monotonic() - began < AT_ONCE
        status = json.loads(done.stdout)
        away = bool(status["not_ready"])
        assert done.returncode == (5 if away else 0), done
        assert bool(status.get("cloud_problem")) == away, done
        watched.back("agent", old)


def test_an_agent_that_is_there_and_does_not_serve_is_started_anew(watched):
    time.sleep(2)  # `up` has had an answer of it: it is not starting any more
    stopped = watched.pid("agent")
    os.kill(stopped, signal.SIGSTOP)
    code, why = wait_for(lambda: (found := gateway_readiness(watched))[0] == 503 and found, 7,
                         "the gateway tells")
    assert (code, why.startswith("the agent does not answer")) == (503, True)
    wait_for(lambda: watched.pid("agent") not in (0, stopped), 90, "another agent is started")
    wait_for(watched.ready, 30, "it serves")
    wait_for(lambda: gateway_readiness(watched)[0] == 200, 5, "the gateway tells that, too")
    assert "agent does not answer" in watched.log.read_text()
    assert watched.who("up").nonce == watched.up.nonce


def test_a_hangup_ends_nothing(platform):
    platform.process.send_signal(signal.SIGHUP)
    os.kill(platform.pid("agent"), signal.SIGHUP)
    wait_for(lambda: platform.log.read_text().count("SIGHUP changes nothing") == 2, 10,
             "it is said")
    assert platform.process.poll() is None
    assert platform.granary("status")["not_ready"] == []

"""What makes a deployment fail, what does not, and what is told of it: with apps that crash at one
path, at all, at their start, that answer nonsense, and with a command that is none."""

import json
import time

from platform_up import needs_root
from small_apps import small_app

pytestmark = needs_root

# What `/` does is put in; every other path is fine.
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/" or {everywhere}:
            {first}
            return
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"fine")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
CRASH = "os._exit(3)"
NONSENSE = "self.wfile.write(b'no status\\r\\n\\r\\n')"


def deploy(platform, name, source, **options):
    folder = small_app(platform.folder / f"app-{name}", source, **options)
    release = platform.granary("release", "create", str(folder))["id"]
    return platform.run("tenant", "create", name, "--release", release)


def test_a_crash_at_one_path_fails_no_deployment(shared):
    done = deploy(shared, "one-path", SERVER.format(first=CRASH, everywhere=False))
    assert done.returncode == 0, done.stderr
    assert shared.show("one-path")["health"] == "healthy"


def test_nonsense_at_one_path_fails_no_deployment(shared):
    done = deploy(shared, "nonsense", SERVER.format(first=NONSENSE, everywhere=False))
    assert done.returncode == 0, done.stderr
    assert shared.show("nonsense")["health"] == "healthy"
    assert shared.request("nonsense", "/").status == 502


def test_nonsense_at_whatever_is_asked_fails_it(shared):
    done = deploy(shared, "all-nonsense", SERVER.format(first=NONSENSE, everywhere=True))
    assert done.returncode == 1
    assert shared.show("all-nonsense")["health"] == "unhealthy"


def test_a_crash_at_whatever_is_asked_fails_it_with_what_the_agent_knows(shared):
    done = deploy(shared, "all-paths", SERVER.format(first=CRASH, everywhere=True))
    assert done.returncode == 1
    shown = shared.show("all-paths")
    assert shown["health"] == "unhealthy"
    assert "exit code 3" in shown["health_detail"]
    assert shown["operation"] == shown["last_failure"]["operation"]
    assert shown["last_failure"]["kind"] == "deployment.check"
    assert "granary tenant update all-paths --release NEW" in done.stderr


def test_a_crash_at_the_start_fails_it_whether_it_declares_health_or_not(shared):
    for name, declared in (("start-bare", {}), ("start-health", {"health": "/health"})):
        done = deploy(shared, name, "import nothing_of_this_name\n", start_timeout="3s", **declared)
        assert done.returncode == 1
        assert "nothing_of_this_name" in shared.show(name)["health_detail"]
        assert "nothing_of_this_name" in done.stderr


def test_a_service_that_listens_nowhere_fails_it(shared):
    done = deploy(shared, "nowhere-at-all", "import time\ntime.sleep(600)\n", start_timeout="1s")
    assert done.returncode == 1
    assert "did not listen on port 8080" in shared.show("nowhere-at-all")["health_detail"]


def test_a_wrong_command_is_told_of_until_an_update_mends_it(shared):
    done = deploy(shared, "mistyped", "", command=["nosuchprog"])
    assert done.returncode == 1
    assert "operation retry" not in done.stderr
    assert "granary tenant update mistyped --release NEW" in done.stderr
    shown = shared.show("mistyped")
    assert shown["state"] == "failed"
    assert "'nosuchprog' is in no folder of PATH" in shown["last_failure"]["message"]
    assert [(one["name"], one["phase"]) for one in shown["services"]] == [("web", "not_deployed")]
    told = shared.run("tenant", "show", "mistyped").stdout
    assert "nosuchprog" in json.dumps(told)
    for command in (["create", "mistyped"], ["suspend", "mistyped"], ["resume", "mistyped"],
                    ["export", "mistyped", "--to", str(shared.folder / "never.tar")]):
        refused = shared.run("tenant", *command)
        assert refused.returncode == 4, (command, refused)
        assert "granary tenant update mistyped --release NEW" in refused.stderr, command
    release = shared.release()
    shared.granary("tenant", "update", "mistyped", "--release", release)
    shown = shared.show("mistyped")
    assert (shown["state"], shown["health"]) == ("active", "healthy")
    assert "last_failure" not in shown
    assert shared.who("mistyped").release == release


FINE = SERVER.format(first="self.send_error(404)", everywhere=False)


def release_of(platform, name, source, **options):
    folder = small_app(platform.folder / f"app-{name}", source, **options)
    return platform.granary("release", "create", str(folder), "--name", name)["id"]


def test_a_refused_release_leaves_the_tenant_at_the_one_that_serves(shared):
    release_of(shared, "eta-good", FINE)
    release_of(shared, "eta-none", FINE, command=["nosuchprog"])
    shared.granary("tenant", "create", "eta", "--release", "eta-good")
    refused = shared.run("tenant", "update", "eta", "--release", "eta-none")
    assert refused.returncode == 1
    assert "Until then eta stays at release eta-good" in refused.stderr
    shared.settled()
    shown = shared.show("eta")
    assert (shown["release"], shown["desired_release"]) == ("eta-good", "eta-good")
    assert shown["health"] == "healthy"
    assert "nosuchprog" in shown["last_failure"]["message"]
    differences = json.loads(shared.run("drift", "-o", "json").stdout)["items"]
    assert "eta" not in [one["account"] for one in differences]
    again = shared.run("operation", "retry", shown["last_failure"]["operation"])
    assert again.returncode == 1
    assert "nosuchprog" in again.stderr
    shared.settled()
    shared.granary("tenant", "update", "eta", "--set", "colour=red")
    shared.granary("tenant", "suspend", "eta")
    shared.granary("tenant", "resume", "eta")
    shown = shared.show("eta")
    assert (shown["release"], shown["desired_release"]) == ("eta-good", "eta-good")
    assert (shown["state"], shown["health"]) == ("active", "healthy")
    assert shared.request("eta", "/other").status == 200


def test_a_resumed_tenant_that_does_not_serve_is_unhealthy_and_told_where_to_go_back(shared):
    release_of(shared, "theta-good", FINE + "# theta\n")
    release_of(shared, "theta-bad", "import nothing_of_this_name\n# theta\n")
    shared.granary("tenant", "create", "theta", "--release", "theta-good")
    shared.granary("tenant", "suspend", "theta")
    shared.run("tenant", "update", "theta", "--release", "theta-bad")
    resumed = shared.run("tenant", "resume", "theta")
    assert resumed.returncode == 1
    assert "nothing_of_this_name" in resumed.stderr
    back = "granary tenant update theta --release theta-good"
    assert back in shared.show("theta")["last_failure"]["advice"]
    assert shared.show("theta")["health"] == "unhealthy"
    unhealthy = json.loads(shared.run("status", "-o", "json").stdout)["unhealthy"]
    assert "theta" in [one["id"] for one in unhealthy]
    shared.granary(*back.split()[1:])
    assert shared.show("theta")["health"] == "healthy"


def test_a_name_that_a_release_cannot_take_is_refused(shared):
    source = FINE + "# of one name\n"
    assert release_of(shared, "first-name", source) == "first-name"
    shared.granary("release", "create", str(shared.folder / "app-first-name"))
    refused = shared.run("release", "create", str(shared.folder / "app-first-name"),
                         "--name", "second-name")
    assert refused.returncode == 4
    assert "these contents are release first-name already" in refused.stderr


def test_a_secret_that_is_not_set_is_warned_of(shared):
    folder = small_app(shared.folder / "app-lacking",
                       SERVER.format(first="self.send_error(404)", everywhere=False))
    manifest = folder / "granary.yaml"
    manifest.write_text(manifest.read_text().rstrip()[:-1] + ', "secrets": ["PAYMENT_KEY"]}')
    release = shared.granary("release", "create", str(folder))["id"]
    done = shared.run("tenant", "create", "lacking", "--release", release)
    assert done.returncode == 0, done.stderr
    assert "warning: " in done.stderr
    assert "granary secret set PAYMENT_KEY" in done.stderr
    assert shared.show("lacking")["secrets_not_set"] == ["PAYMENT_KEY"]


def test_one_path_that_crashes_closes_nothing_and_is_forgotten_with_its_release(shared):
    assert deploy(shared, "bad-path", SERVER.format(first=CRASH, everywhere=False)).returncode == 0

    def good():
        """How long it takes until one is served: it may meet the end of the life that crashed."""
        begun = time.monotonic()
        answer = shared.request("bad-path", "/good")
        while answer.status in (502, 503):
            assert answer.status == 502 or answer.field("Retry-After") == "1"
            time.sleep(0.05)
            answer = shared.request("bad-path", "/good")
        assert answer.status == 200
        return time.monotonic() - begun
    for _ in range(6):
        assert shared.request("bad-path", "/").status in (502, 503)
        assert good() < 3
        assert max(good(), good()) < 3
    failed = shared.service("bad-path")["last_failure"]
    assert "exit code 3. See its log" in failed
    assert failed.endswith(". It has served again since")
    folder = small_app(shared.folder / "app-bad-path-2",
                       SERVER.format(first="self.send_response(204); self.end_headers()",
                                     everywhere=False))
    release = shared.granary("release", "create", str(folder))["id"]
    assert shared.run("tenant", "update", "bad-path", "--release", release).returncode == 0
    assert not shared.service("bad-path").get("last_failure")


def test_one_that_crashes_at_all_says_for_how_long_it_is_closed(shared):
    deploy(shared, "closed", SERVER.format(first=CRASH, everywhere=True))
    told = []
    until = time.monotonic() + 30
    while not told or max(told) < 3:
        assert time.monotonic() < until, told
        answer = shared.request("closed", "/")
        if answer.status == 503:
            told.append(int(answer.field("Retry-After")))
            time.sleep(told[-1])


def test_one_that_listens_on_another_address_is_told_so(shared):
    source = SERVER.format(first="return", everywhere=False).replace(
        'http.server.HTTPServer(("127.0.0.1"',
        'import socket\nclass V6(http.server.HTTPServer):\n    address_family = socket.AF_INET6\n'
        'V6(("::1"')
    assert deploy(shared, "v6-alone", source, start_timeout="2s").returncode == 1
    told = shared.service("v6-alone")["last_failure"]
    assert "such as [::1]:8080: make it listen on 127.0.0.1" in told

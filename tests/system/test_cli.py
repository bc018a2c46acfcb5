"""The command line against a real control: what it prints, and how it ends."""

import json
import os
import re
import subprocess
import tempfile
import termios
import time

import pytest
from control import GRANARY, ROOT

INSIGHT = ROOT / "examples" / "insight"


@pytest.fixture
def granary(control):
    environment = {**os.environ, "GRANARY_API": f"http://127.0.0.1:{control.port}",
                   "GRANARY_DATA_DIR": str(control.data_dir)}

    def run(*arguments):
        return subprocess.run([GRANARY, *arguments], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=60)
    return run


def test_releases_a_folder_and_lists_it_as_json(granary):
    assert granary("release", "create", INSIGHT).returncode == 0
    listed = granary("release", "list", "-o", "json")
    assert [item["app"] for item in json.loads(listed.stdout)["items"]] == ["insight"]


def test_exit_codes_tell_wrong_usage_missing_and_refused_apart(granary):
    assert granary("tenant", "create").returncode == 2
    assert granary("tenant", "create", "Acme").returncode == 2
    assert granary("tenant", "show", "nobody").returncode == 3
    assert granary("rollout", "start", "x").returncode == 4


def test_nobody_listening_is_exit_5_with_advice(control, granary):
    control.stop()
    ended = granary("tenant", "list")
    assert ended.returncode == 5
    assert "granary up" in ended.stderr


def doctor(*arguments, **environment):
    """What it says of the data directory: two words, and the rest."""
    done = subprocess.run([GRANARY, *(arguments or ["doctor"])],
                          env={**os.environ, **environment},
                          capture_output=True, text=True, check=False, timeout=60)
    words = [line.split(None, 3) for line in done.stdout.splitlines()]
    return next(word[3] for word in words if word[1:3] == ["data", "directory"])


def test_doctor_looks_at_the_data_directory_of_the_environment():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # others pass through it, which pytest's own do not allow
        assert doctor(GRANARY_DATA_DIR=folder) == folder
        none = f"{folder}/none"
        assert doctor(GRANARY_DATA_DIR=none) == f"{none} is not there yet: granary up will make it"
    assert doctor(GRANARY_DATA_DIR="").startswith("/var/lib/granary")


@pytest.mark.parametrize("command", ["up", "doctor", "control", "release create", "status"])
def test_help_has_nothing_that_only_the_parser_understands(command):
    done = subprocess.run([GRANARY, *command.split(), "--help"], check=False, capture_output=True,
                          text=True)
    assert done.returncode == 0, done
    assert not re.search(r"ENUM|->|\bOR\b", done.stdout), done.stdout


def test_an_option_beats_the_environment_and_that_the_file(tmp_path):
    file = tmp_path / "granary.toml"
    file.write_text('data-dir = "/tmp/of-the-file"\n')

    def looked_at(*arguments, **environment):
        return doctor(*arguments, "--config", file, **environment).split()[0]
    assert looked_at("doctor") == "/tmp/of-the-file"
    assert looked_at("doctor", GRANARY_DATA_DIR="/tmp/of-env") == "/tmp/of-env"
    option = "--data-dir=/tmp/of-option"
    for arguments in (["doctor", option], [option, "doctor"]):
        assert looked_at(*arguments, GRANARY_DATA_DIR="/tmp/of-env") == "/tmp/of-option"


def test_the_clients_options_beat_its_environment(control, tmp_path):
    api = f"http://127.0.0.1:{control.port}"
    token = (control.data_dir / "control" / "operator.token").read_text().strip()
    bad = {"GRANARY_API": "http://127.0.0.1:1", "GRANARY_TOKEN": "gry_bad",
           "GRANARY_DATA_DIR": str(tmp_path / "none")}

    def ends(environment, *options):
        return subprocess.run([GRANARY, *options, "tenant", "list"],
                              env={**os.environ, **environment}, capture_output=True,
                              check=False, timeout=60).returncode
    assert ends(bad) == 5
    assert ends(bad, "--api", api) not in (0, 5)
    assert ends(bad, "--api", api, "--token", token) == 0
    del bad["GRANARY_TOKEN"]
    assert ends(bad, "--api", api, "--data-dir", control.data_dir) == 0


def test_doctor_compares_the_clock_at_the_api_of_the_environment(control):
    def clock(*options, **environment):
        done = subprocess.run([GRANARY, "doctor", "--data-dir", control.data_dir, *options],
                              env={**os.environ, **environment}, capture_output=True, text=True,
                              check=False, timeout=60)
        return next(line for line in done.stdout.splitlines() if line.split()[1] == "clock")
    api = f"127.0.0.1:{control.port}"
    assert clock(GRANARY_API=f"http://{api}").startswith("ok ")
    assert clock("--api", api, GRANARY_API="http://127.0.0.1:1").startswith("ok ")
    assert clock(GRANARY_API="http://127.0.0.1:1").startswith("skipped ")


def test_help_and_version_are_found_and_a_wrong_word_is_told_with_the_right_ones():
    def run(*words):
        return subprocess.run([GRANARY, *words], capture_output=True, text=True, check=False,
                              timeout=60)
    assert run("--version").stdout.startswith("granary ")
    assert run("help").stdout == run("--help").stdout
    assert run("help", "tenant", "show").stdout == run("tenant", "show", "--help").stdout
    assert "'xml' is not one of: json, table" in run("-o", "xml", "tenant", "list").stderr
    assert "'maybe' is not one of: full, none" in run("up", "--isolation", "maybe").stderr
    wrong = run("up", "--memory-budget", "1 GB")
    assert "--memory-budget: '1 GB' is not a valid size" in wrong.stderr
    assert "1Gi" in wrong.stderr


def test_a_mistyped_command_of_the_platform_is_told_with_the_one_that_was_meant():
    done = subprocess.run([GRANARY, "upp"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "there is no command 'granary upp'" in done.stderr
    assert "Did you mean granary up?" in done.stderr


def test_an_error_says_what_why_and_what_to_do(granary):
    refused = granary("tenant", "create", "Acme")
    assert "lower-case letter" in refused.stderr
    assert "to do:" in refused.stderr


def test_a_bad_manifest_is_shown_at_its_line(granary, tmp_path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "granary.yaml").write_text("app: bad\nservices: 3\n")
    refused = granary("release", "create", app)
    assert refused.returncode != 0
    assert "granary.yaml:2" in refused.stderr


def test_a_viewer_may_look_but_not_touch(granary):
    made = granary("token", "create", "--role", "viewer", "-o", "json")
    token = json.loads(made.stdout)["secret"]
    assert granary("tenant", "list", "--token", token).returncode == 0
    assert granary("release", "create", INSIGHT, "--token", token).returncode == 4


def type_at_terminal(arguments, environment, typed):
    """Runs a command at a terminal of its own; returns its exit code and all that was shown."""
    master, slave = os.openpty()
    process = subprocess.Popen(arguments, env=environment, stdin=slave, stdout=slave, stderr=slave,
                               start_new_session=True)
    os.close(slave)
    shown = b""
    try:
        while b"not shown" not in shown:
            shown += os.read(master, 4096)
        # What is typed before the terminal is mute is thrown away, as it is for people.
        while termios.tcgetattr(master)[3] & termios.ECHO:
            time.sleep(0.005)
        os.write(master, typed)
        while True:
            shown += os.read(master, 4096)
    except OSError:  # the last holder of the other end is gone
        pass
    finally:
        os.close(master)
    return process.wait(timeout=60), shown.decode()


def test_a_secret_is_typed_without_being_shown_and_ctrl_c_sets_none(control, granary):
    environment = {**os.environ, "GRANARY_API": f"http://127.0.0.1:{control.port}",
                   "GRANARY_DATA_DIR": str(control.data_dir)}
    code, shown = type_at_terminal([GRANARY, "secret", "set", "TYPED"], environment, b"hunter2\n")
    assert code == 0, shown
    assert "hunter2" not in shown
    code, shown = type_at_terminal([GRANARY, "secret", "set", "NEVER"], environment, b"hun\x03")
    assert code == 1, shown
    listed = json.loads(granary("secret", "list", "-o", "json").stdout)
    assert [item["name"] for item in listed["items"]] == ["TYPED"]
    assert "hunter2" not in control.log.read_text()


def test_the_audit_log_of_a_real_control_holds_and_tells_of_tokens_and_releases(granary):
    granary("release", "create", INSIGHT)
    made = json.loads(granary("token", "create", "--role", "viewer", "-o", "json").stdout)
    entries = json.loads(granary("audit", "-o", "json").stdout)["items"]
    assert {"release.create", "token.create"} <= {entry["action"] for entry in entries}
    assert made["secret"] not in json.dumps(entries)
    head = granary("audit", "--head").stdout.strip()
    assert granary("audit", "--check", "--head", head).returncode == 0
    number = head.partition(":")[0]
    assert granary("audit", "--check", "--head", f"{number}:{'0' * 64}").returncode == 1

"""Who may order the agent about, and what the roles that strangers can reach are left with."""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys

import pytest
from platform_up import needs_root

pytestmark = needs_root

VERBS = ["activate", "apply", "remove", "report", "list", "unpack", "forget", "logs", "export",
         "import", "sleep", "ping"]
OF_GATEWAY = ["activate", "ping"]
CONTROL, GATEWAY, EGRESS = range(3)  # as offsets from --uid-base


def ask(path, verb):
    """The code of the agent's answer; "" where it is none of refusal."""
    body = json.dumps({"id": 1, "verb": verb, "account": "nobody", "service": "api"})
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(struct.pack("<I", len(body)) + body.encode())
        head = connection.recv(4, socket.MSG_WAITALL)
        answer = json.loads(connection.recv(struct.unpack("<I", head)[0], socket.MSG_WAITALL))
    assert answer["id"] == 1
    return answer.get("error", {}).get("code", "")


def ask_as(platform, uid):
    """The same of each verb, from a process of that user."""
    program = (f"import sys; sys.path[:0] = {sys.path!r}\nimport json, test_up_roles as own\n"
               f"path = {platform.data_dir + '/run/agent.sock'!r}\n"
               "print(json.dumps({verb: own.ask(path, verb) for verb in own.VERBS}))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=False, timeout=60, user=uid, group=uid, extra_groups=[])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(answers):
    return sorted(verb for verb, code in answers.items() if code == "refused")


def test_nobody_but_control_and_the_gateway_gives_the_agent_orders(shared):
    tenant = shared.tenant("orders")
    shared.who(tenant)
    for stranger in (shared.user_of(tenant), shared.uid_base + EGRESS, 65534):
        assert refused(ask_as(shared, stranger)) == sorted(VERBS), stranger


def test_the_gateway_may_wake_and_nothing_else(shared):
    answers = ask_as(shared, shared.uid_base + GATEWAY)
    assert refused(answers) == sorted(set(VERBS) - set(OF_GATEWAY))
    assert answers["ping"] == ""


def test_the_same_orders_of_controls_are_taken(shared):
    """The wall is who asks, not what is asked."""
    answers = ask_as(shared, shared.uid_base + CONTROL)
    assert refused(answers) == []
    assert answers["ping"] == answers["list"] == ""


@pytest.mark.parametrize("role", ["control", "gateway", "egress"])
def test_a_role_has_a_user_of_its_own_and_no_way_to_more(shared, role):
    text = pathlib.Path(f"/proc/{shared.pid(role)}/status").read_text()
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    own = shared.uid_base + {"control": CONTROL, "gateway": GATEWAY, "egress": EGRESS}[role]
    assert status["Uid"].split() == status["Gid"].split() == [str(own)] * 4
    assert status["Groups"].split() == []
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[capabilities], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_what_belongs_to_one_role_is_closed_to_the_others(shared):
    """By modes and owners alone, before landlock: control's store, logs, the platform's key."""
    data = pathlib.Path(shared.data_dir)
    private = {"control": CONTROL, "access": GATEWAY, "egress": EGRESS}
    for folder, owner in private.items():
        for user in (CONTROL, GATEWAY, EGRESS):
            listed = subprocess.run(["ls", data / folder], capture_output=True, check=False,
                                    user=shared.uid_base + user, group=shared.uid_base + user,
                                    extra_groups=[])
            assert (listed.returncode == 0) == (user == owner), (folder, user)
    for user in (CONTROL, GATEWAY, EGRESS):
        listed = subprocess.run(["ls", data / "keys"], capture_output=True, check=False,
                                user=shared.uid_base + user, group=shared.uid_base + user,
                                extra_groups=[])
        assert listed.returncode != 0
    assert os.listdir(data / "keys")

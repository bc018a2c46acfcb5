"""Control is killed at every commit of every operation, on real silos, and each ends well.

A commit is where a step ends and the next begins, so this is every step boundary, from both sides:
just before the commit is durable (the step runs again) and just after it (it does not).
"""

import contextlib
import http.client
import json
import os
import pathlib
import time

import pytest
from platform_up import Platform, needs_root, together, wait_for
from preload import preloaded

pytestmark = needs_root

SIDES = ("before", "after")
FINAL = ("succeeded", "failed", "cancelled")
# More than any operation has; one that never ends would otherwise be killed for ever.
MOST_COMMITS = 40
FEWEST = {"create": 6, "update": 6, "export": 3, "restore": 9, "offboard": 8}


@pytest.fixture(scope="module")
def killer():
    with preloaded("kill_at_commit") as library:
        yield library


class Doomed:
    """A platform whose control can be told when to die."""

    def __init__(self, killer):
        self.platform = Platform()
        self.plan = pathlib.Path(self.platform.data_dir, "control/kill")
        self.platform.start(env={**os.environ, "LD_PRELOAD": str(killer),
                                 "GRANARY_TEST_KILL": str(self.plan)})
        token = pathlib.Path(self.platform.data_dir, "control/operator.token")
        self.token = token.read_text().strip()
        self.keys = 0

    def set_plan(self, side, number):
        half = self.plan.with_name("kill.new")
        half.write_text(f"{side} {number}")
        half.chmod(0o644)
        owner = self.plan.parent.stat()
        os.chown(half, owner.st_uid, owner.st_gid)
        half.rename(self.plan)

    def came_true(self):
        """Whether control died by the plan; otherwise there is none any more."""
        with contextlib.suppress(FileNotFoundError):
            self.plan.unlink()
            return False
        return True

    def call(self, method, path, body=None, key=None):
        """Again and again until control answers, as a client with an idempotency key may."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        end = time.monotonic() + 30
        while True:
            try:
                host = self.platform.api.removeprefix("http://")
                connection = http.client.HTTPConnection(host, timeout=30)
                connection.request(method, path, json.dumps(body) if body is not None else None,
                                   headers)
                answer = connection.getresponse()
                text = answer.read()
                connection.close()
                if answer.status < 500:
                    return answer.status, json.loads(text) if text else None
            except (OSError, http.client.HTTPException):
                pass
            assert time.monotonic() < end, f"{method} {path}: no answer\n{self.platform.log_tail()}"
            time.sleep(0.02)

    def get(self, path):
        status, document = self.call("GET", path)
        assert status == 200, (path, document)
        return document

    def operate(self, method, path, body=None):
        """One wish, one operation; returns it when it has ended, whatever dies meanwhile."""
        self.keys += 1
        status, operation = self.call(method, path, body or {}, key=f"wish-{self.keys}")
        assert status == 202, operation

        def ended():
            now = self.get(f"/v1/operations/{operation['id']}")
            return now if now["state"] in FINAL else None
        return wait_for(ended, 40, f"{method} {path} ends")

    def all_ended(self):
        """Until nothing is under way any more."""
        def quiet():
            states = [item["state"] for item in self.get("/v1/operations?limit=1000")["items"]]
            return all(state in FINAL for state in states)
        wait_for(quiet, 40, "all operations end")

    def check(self):
        """What holds whenever nothing is under way."""
        self.all_ended()
        drift = self.get("/v1/drift")
        assert drift["items"] == []
        assert self.get("/v1/audit/check").get("problem", "") == ""
        tenants = {item["id"] for item in self.get("/v1/tenants?limit=1000")["items"]}
        accounts = set(os.listdir(self.platform.data_dir + "/accounts"))
        assert tenants == accounts
        operations = self.get("/v1/operations?limit=1000")["items"]
        assert {item["state"] for item in operations} == {"succeeded"}
        wishes = [item for item in operations if item["kind"].startswith("tenant.")]
        assert len(wishes) == self.keys, "a wish was doubled or lost"


@contextlib.contextmanager
def doomed_platform(killer):
    made = Doomed(killer)
    try:
        yield made
        assert made.platform.stop() == 0
        made.platform.assert_nothing_left()
    finally:
        made.platform.clean_up()


class Story:
    """How one kind of operation is prepared, asked for, and seen to have been done once."""

    def __init__(self, doomed):
        self.doomed = doomed
        self.platform = doomed.platform
        self.release = self.platform.release(idle="never")
        self.other = self.platform.release(idle="never", env={"OTHER": "1"})

    def tenant(self, name):
        done = self.doomed.operate("POST", "/v1/tenants", {"id": name, "release": self.release})
        assert done["state"] == "succeeded"
        self.doomed.all_ended()
        self.keep(name, f"of {name}")
        return name

    def keep(self, name, text):
        assert self.platform.request(name, "/api/keep", "PUT", body=text.encode()).status == 200

    def kept(self, name):
        return self.platform.request(name, "/api/keep").json()["kept"]


class Create(Story):
    def prepare(self, name):
        pass

    def wish(self, name):
        return self.doomed.operate("POST", "/v1/tenants", {"id": name, "release": self.release})

    def see(self, name, done):
        assert self.platform.who(name).nonce


class Update(Story):
    def prepare(self, name):
        self.tenant(name)

    def wish(self, name):
        return self.doomed.operate("PATCH", f"/v1/tenants/{name}",
                                   {"release": self.other, "labels": {"tier": "gold"}})

    def see(self, name, done):
        shown = self.platform.show(name)
        assert (shown["release"], shown["labels"]) == (self.other, {"tier": "gold"})
        assert self.kept(name) == f"of {name}"


class Export(Story):
    def prepare(self, name):
        self.tenant(name)

    def wish(self, name):
        return self.doomed.operate("POST", f"/v1/tenants/{name}/export", {"keep": "1h"})

    def see(self, name, done):
        archives = self.doomed.get(f"/v1/archives?tenant={name}")["items"]
        assert [archive["id"] for archive in archives] == [done["result"]["archive"]]
        file = pathlib.Path(self.platform.data_dir, "archives", archives[0]["id"] + ".tar")
        assert file.stat().st_size == archives[0]["bytes"]
        assert self.kept(name) == f"of {name}"


class Restore(Story):
    def prepare(self, name):
        self.tenant(name)
        exported = self.doomed.operate("POST", f"/v1/tenants/{name}/export", {"keep": "1h"})
        self.archive = exported["result"]["archive"]
        self.keep(name, "later, and lost again")

    def wish(self, name):
        return self.doomed.operate("POST", f"/v1/tenants/{name}/restore",
                                   {"archive": self.archive, "replace": True})

    def see(self, name, done):
        assert self.platform.show(name)["state"] == "active"
        assert self.kept(name) == f"of {name}"


class Offboard(Story):
    def prepare(self, name):
        self.tenant(name)

    def wish(self, name):
        return self.doomed.operate("POST", f"/v1/tenants/{name}/offboard", {"retain": "1s"})

    def see(self, name, done):
        certificate = self.doomed.get(f"/v1/certificates/{done['id']}")
        assert certificate["tenant"] == name
        assert not self.doomed.get(f"/v1/archives?tenant={name}")["items"]
        assert self.platform.request(name, "/api/keep").status == 404


STORIES = {"create": Create, "update": Update, "export": Export, "restore": Restore,
           "offboard": Offboard}


def kill_at_every_commit(doomed, kind, side):
    """How often control died."""
    story = STORIES[kind](doomed)
    deaths = 0
    for number in range(1, MOST_COMMITS):
        name = f"t{number}"
        story.prepare(name)
        doomed.all_ended()
        doomed.set_plan(side, number)
        done = story.wish(name)
        doomed.all_ended()
        died = doomed.came_true()
        assert done["state"] == "succeeded", done
        story.see(name, done)
        if not died:
            break
        deaths += 1
    doomed.check()
    return deaths


@pytest.mark.parametrize("kind", list(STORIES))
def test_an_operation_ends_well_whenever_control_is_killed(killer, kind):
    def run(number):
        with doomed_platform(killer) as doomed:
            return kill_at_every_commit(doomed, kind, SIDES[number])
    # Most of the time each waits for control to come back, so both go on at once.
    for side, deaths in zip(SIDES, together(len(SIDES), run), strict=True):
        if isinstance(deaths, BaseException):
            raise AssertionError(f"{side} a commit") from deaths
        assert FEWEST[kind] <= deaths < MOST_COMMITS - 1, f"{side}: {deaths} commits were met"
        print(f"{kind}: control died {deaths} times, {side} a commit")

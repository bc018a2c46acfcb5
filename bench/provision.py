"""How fast a tenant comes to be: from the wish to the first answer of its own silo.

The wish is a POST to the API with the operator's token on a connection that stays open, so that
the start of a command line program is not measured. The first answer comes through the gateway,
asked for every 3 ms from the moment of the wish.
"""

import collections
import contextlib
import datetime
import statistics
import time

import measure
from installation import insight_folder, running
from measure import Failed, Row

POLL = 0.003
PATH = "/api/scans?limit=1"


def create_one(installation, api, name, release):
    """Milliseconds: to the first 200, and to the end of the operation; and its steps'."""
    begun = time.monotonic()
    operation = api.call("POST", "/v1/tenants", {"id": name, "release": release["id"]})["id"]
    accepted = time.monotonic()
    while (status := installation.get(name, PATH)) != 200:
        if status != 404 or time.monotonic() - begun > 20:
            raise Failed(f"{name} answers {status}")
        time.sleep(POLL)
    answered = time.monotonic()
    document = api.finished(operation)
    steps = {step["step"]: _milliseconds(step) for step in document["history"] if step["ended"]}
    return {"accepted": (accepted - begun) * 1e3, "answered": (answered - begun) * 1e3,
            "steps": steps, "check": document.get("follow_up")}


def _milliseconds(step):
    started, ended = (datetime.datetime.fromisoformat(step[when]) for when in ("started", "ended"))
    return (ended - started).total_seconds() * 1e3


def sequential(installation, release, count, patience):
    samples = []
    with contextlib.closing(installation.api()) as api:
        for number in range(count):
            patience.wait()
            samples.append(create_one(installation, api, f"one-{number}", release))
            if samples[-1]["check"]:
                api.finished(samples[-1]["check"])  # so that it does not run into the next one
    steps = collections.defaultdict(list)
    for sample in samples:
        for step, took in sample["steps"].items():
            steps[step].append(took)
    return {"answered_ms": measure.spread([sample["answered"] for sample in samples]),
            "accepted_ms": measure.spread([sample["accepted"] for sample in samples]),
            "steps_ms_p50": {step: statistics.median(took) for step, took in steps.items()}}


def burst(installation, release, count):
    before = installation.role_cpu()
    begun = time.monotonic()
    operations = installation.create([f"many-{number}" for number in range(count)], release)
    accepted = time.monotonic()
    with contextlib.closing(installation.api()) as api:
        documents = [api.finished(operation) for operation in operations]
        ended = time.monotonic()
        cpu = installation.role_cpu()
        for document in documents:
            if document.get("follow_up"):
                api.finished(document["follow_up"])
    checked = time.monotonic()
    return {"tenants": count, "accepted_s": accepted - begun, "created_s": ended - begun,
            "checked_s": checked - begun, "per_second": count / (ended - begun),
            "checked_per_second": count / (checked - begun),
            "cpu_ms_per_tenant": {role: (cpu[role] - before[role]) * 1e3 / count for role in cpu}}


def run(quick, patience):
    with running() as installation:
        release = installation.release(insight_folder(installation, "2s"))
        with contextlib.closing(installation.api()) as api:  # unpacks the release
            first = create_one(installation, api, "first", release)
        one = sequential(installation, release, 3 if quick else 30, patience)
        patience.wait()
        many = burst(installation, release, 20 if quick else 1000)
    took = one["answered_ms"]
    rows = [
        Row("create a tenant to its first 200, p50", took["p50"], "ms",
            target="< 200", met=took["p50"] < 200),
        Row("create a tenant to its first 200, p99", took["p99"], "ms"),
        Row(f"{many['tenants']} tenants at once", many["per_second"], "tenants/s",
            target=">= 50", met=many["per_second"] >= 50),
        Row("the same until each was checked", many["checked_per_second"], "tenants/s"),
    ]
    return rows, {"first_of_release_ms": first["answered"], "sequential": one, "burst": many}

"""How long a request takes that finds its tenant asleep, and how many such a second.

Beside it, in turn, so that noise meets all alike: the same program started bare at the request (the
floor: nobody can be faster without changing the program), and uWSGI's Emperor with on-demand
vassals. Granary's wake goes through its gateway and includes sandbox, limits and disk; the other
two are asked directly on their unix sockets.
"""

import contextlib
import statistics
import time

import measure
from installation import insight_folder, running
from measure import Row
from rivals import Bare, Emperor, add_scans

PATH = "/api/scans?limit=10"
HOST = "bench"  # what the two others are asked for: they do not care
ABOVE_FLOOR = 8  # ms, the target
STARTS_AT_ONCE = 4  # of the bare storm; as the agent does with two cores
STORM_SECONDS = 120
REST = 0.3  # for the kernel to be done with what was just stopped


def timed_get(address, host, after_sending=lambda: None):
    """Milliseconds from before the connection until the whole answer is here."""
    begun = time.monotonic()
    with contextlib.closing(measure.connect(address)) as client:
        client.sendall(measure.get_bytes(host, PATH))
        after_sending()
        answer = measure.read_to_end(client)
        took = (time.monotonic() - begun) * 1e3
    if measure.status_of(answer) != 200:
        raise measure.Failed(f"a wake was answered with {answer[:200]!r}")
    return took


def one_by_one(installation, bares, emperor, tenants, rounds, patience):
    """{who: [milliseconds]}; each tenant in each round."""
    found = {"granary": [], "bare": [], "uwsgi": [], "warm": []}
    for _ in range(rounds):
        for tenant in tenants:
            patience.wait()
            host = installation.host(tenant)
            found["granary"].append(timed_get(installation.gateway, host))
            found["warm"].append(timed_get(installation.gateway, host))
            bare = bares[tenant]
            found["bare"].append(timed_get(bare.address, HOST, bare.start))
            bare.stop()
            found["uwsgi"].append(timed_get(emperor.address(tenant), HOST))
        sleep_all(installation, emperor, tenants)
    return found


def sleep_all(installation, emperor, tenants):
    installation.put_to_sleep(tenants)
    emperor.wait_until_asleep()
    time.sleep(REST)


def bare_storm(bares):
    """All asked at once, STARTS_AT_ONCE of them starting at any time."""
    waiting = list(bares)
    started = []

    def start_next(_index=None):
        if waiting:
            started.append(waiting.pop(0))
            started[-1].start()

    def begun(index):
        if index < STARTS_AT_ONCE:
            start_next()
    try:
        return measure.all_at_once([(bare.address, HOST, PATH) for bare in bares], STORM_SECONDS,
                                   begun, start_next)
    finally:
        for bare in started:
            bare.stop()


def storms(installation, bares, emperor, tenants, rounds, patience):
    """{who: [wakes a second]}."""
    found = {"granary": [], "bare": [], "uwsgi": []}
    for _ in range(rounds):
        through_gateway = [(installation.gateway, installation.host(tenant), PATH)
                           for tenant in tenants]
        patience.wait()
        took = measure.all_at_once(through_gateway, STORM_SECONDS)
        found["granary"].append(len(tenants) / max(took))
        installation.put_to_sleep(tenants)
        time.sleep(REST)
        patience.wait()
        took = bare_storm([bares[tenant] for tenant in tenants])
        found["bare"].append(len(tenants) / max(took))
        time.sleep(REST)
        patience.wait()
        took = measure.all_at_once([(emperor.address(tenant), HOST, PATH) for tenant in tenants],
                                   STORM_SECONDS)
        found["uwsgi"].append(len(tenants) / max(took))
        emperor.wait_until_asleep()
        time.sleep(REST)
    return found


def set_up(installation, stack, count):
    """Tenants, and the same in the two others: (bares, emperor, tenants), all asleep."""
    release = installation.release(insight_folder(installation, "60s"))
    tenants = [f"sleeper-{number}" for number in range(count)]
    installation.settle(installation.create(tenants, release))
    folder = installation.release_folder(release)
    bares = {}
    for tenant in tenants:
        bares[tenant] = Bare(installation.folder / "bare", folder, tenant)
        stack.callback(bares[tenant].close)
    emperor = Emperor(installation.folder / "uwsgi", folder, tenants)
    stack.callback(emperor.close)
    for tenant in tenants:  # the data of all three is the same
        add_scans(installation.gateway, installation.host(tenant))
        bares[tenant].start()
        add_scans(bares[tenant].address, HOST)
        bares[tenant].stop()
        add_scans(emperor.address(tenant), HOST)
    sleep_all(installation, emperor, tenants)
    return bares, emperor, tenants


def run(quick, patience):
    singles, rounds, storm, storm_rounds = (2, 1, 6, 1) if quick else (10, 6, 200, 3)
    with running() as installation, contextlib.ExitStack() as stack:
        bares, emperor, tenants = set_up(installation, stack, storm)
        waking = one_by_one(installation, bares, emperor, tenants[:singles], rounds, patience)
        storming = storms(installation, bares, emperor, tenants, storm_rounds, patience)
    took = {who: measure.spread(values) for who, values in waking.items()}
    rate = {who: statistics.median(values) for who, values in storming.items()}
    above = took["granary"]["p50"] - took["bare"]["p50"]
    rows = [
        Row("wake, p50", took["granary"]["p50"], "ms", took["bare"]["p50"], "bare start"),
        Row("wake, p99", took["granary"]["p99"], "ms", took["bare"]["p99"], "bare start"),
        Row("wake, p50", took["granary"]["p50"], "ms", took["uwsgi"]["p50"], "uWSGI Emperor"),
        Row("wake, p99", took["granary"]["p99"], "ms", took["uwsgi"]["p99"], "uWSGI Emperor"),
        Row("wake above the floor, p50", above, "ms", target=f"<= {ABOVE_FLOOR} ms",
            met=above <= ABOVE_FLOOR),
        Row("awake, p50", took["warm"]["p50"], "ms"),
        Row(f"storm of {storm}", rate["granary"], "wakes/s", rate["bare"], "bare start"),
        Row(f"storm of {storm}", rate["granary"], "wakes/s", rate["uwsgi"], "uWSGI Emperor"),
    ]
    return rows, {"wake_ms": took, "storm_per_second": storming, "wake_samples_ms": waking}

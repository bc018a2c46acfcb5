"""Small applications, each of which once showed a fault of the platform: what is right instead."""

import pathlib
import time

import pytest
from platform_up import needs_root, together, wait_for
from raw_http import read_answer
from vendored import app_folder

pytestmark = needs_root

CASES = pathlib.Path(__file__).parent / "cases"


@pytest.fixture
def case(field):
    """Makes a tenant of a case's application; returns its name, by default that of the case."""
    def make(name, tenant=None):
        folder = app_folder([CASES / name], f"case-{name}")
        release = field.create_release(folder)
        done = field.run("tenant", "create", tenant or name, "--release", release)
        assert done.returncode in (0, 1), done  # 1: its check failed, as that of some must
        return tenant or name
    return make


def ok(field, tenant, path="/", body=b"ok"):
    answer = field.request(tenant, path, timeout=60)
    assert (answer.status, answer.body) == (200, body), why(field, tenant, answer)
    return answer


def why(field, tenant, answer=""):
    service = field.service(tenant)
    return f"{answer} {service['phase']} {service['last_failure']}\n{field.logs(tenant)[-1500:]}"


def test_an_answer_whose_head_comes_in_two_pieces_is_that_answer(field, case):
    tenant = case("split-head")
    whole = len(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    with field.connect() as connection, connection.makefile("rb") as stream:
        for cut in range(1, whole):  # one connection: what is left over would be the next answer
            asked = f"GET /{cut} HTTP/1.1\r\nHost: {field.host(tenant)}\r\n\r\n"
            connection.sendall(asked.encode())
            answer = read_answer(stream)
            assert (answer.status, answer.body) == (200, b"ok"), f"cut after {cut}: {answer}"
            assert answer.field("content-type") == "text/plain"


def test_a_service_that_starts_too_slowly_backs_off_and_nobody_else_notices(field, case):
    agent = field.pid("agent")
    neighbour = field.tenant("neighbour-of-the-slow")
    before = field.who(neighbour)
    tenant = case("slow-start")
    for _ in range(3):
        assert field.request(tenant, "/", timeout=60).status == 503
    wait_for(lambda: field.service(tenant)["phase"] == "backing_off", 15, "it backs off")
    assert "start_timeout" in field.service(tenant)["last_failure"], why(field, tenant)
    assert field.pid("agent") == agent, field.log_tail()
    assert field.who(neighbour).nonce == before.nonce


def test_a_request_is_held_while_a_service_takes_longer_to_stop_than_it_may_to_start(field, case):
    tenant = case("ignores-sigterm")
    for _ in range(6):
        ok(field, tenant)
        time.sleep(1.7)  # so that some come while it stops
    assert field.service(tenant)["wakes"] > 1, "it never stopped: nothing was tried"


def test_a_service_that_ends_with_0_after_it_served_is_asleep(field, case):
    tenant = case("exits-zero-when-idle")
    for _ in range(5):
        ok(field, tenant)
        field.wait_for_phase(tenant, "asleep")
    service = field.service(tenant)
    assert not service["last_failure"], service
    assert service["wakes"] >= 5, service


@pytest.mark.parametrize(("name", "said"), [("wrapper-without-exec", "descriptor 3"),
                                            ("gunicorn-explicit-fd", "descriptor")])
def test_a_service_that_does_not_accept_on_descriptor_3_is_served_or_says_so(
        field, case, name, said):
    tenant = case(name)
    answer = field.request(tenant, "/", timeout=60)
    if answer.status == 200:
        assert answer.body == b"ok"
        return
    assert answer.status == 503
    assert said in field.service(tenant)["last_failure"], why(field, tenant, answer)
    assert said in field.logs(tenant)


def test_a_request_waits_its_turn_behind_a_worker_that_is_busy(field, case):
    tenant = case("one-sync-worker")
    ok(field, tenant)
    slow_seconds = 5  # longer than its start_timeout

    def ask(number):
        time.sleep(0.5 * number)
        return ok(field, tenant, f"/?s={slow_seconds}" if number == 0 else "/")
    found = together(3, ask)
    assert not [one for one in found if isinstance(one, BaseException)], found
    assert not field.service(tenant)["last_failure"]


def test_a_file_observer_sees_what_happens_in_the_data(field, case):
    tenant = case("inotify-observer")
    answer = field.request(tenant, "/watch")
    assert (answer.status, answer.json()) == (200, "/data/hello"), why(field, tenant, answer)


@pytest.mark.parametrize(("name", "kind", "shown"), [("deep-folders", "deep", b"at the end"),
                                                     ("deep-folders", "long", b"at the end"),
                                                     ("many-hard-links", "many", b"5000")])
def test_whatever_the_disk_holds_is_exported_and_its_tenant_offboarded(
        field, case, tmp_path, name, kind, shown):
    tenant = case(name, f"{kind}-data")
    look = f"/look/{kind}"
    assert field.request(tenant, f"/make/{kind}").status == 200
    archive = tmp_path / "archive.tar"
    field.granary("tenant", "export", tenant, "--to", str(archive))
    other = f"{tenant}-again"
    field.granary("tenant", "restore", other, "--from", str(archive))
    ok(field, other, look, shown)
    field.granary("tenant", "offboard", tenant, "--retain", "0s", "--yes")
    assert field.request(tenant, look).status == 404


@pytest.mark.parametrize("name", ["node-heap", "java-heap"])
def test_a_runtime_sees_the_limit_of_its_silo_and_collects_its_garbage(field, case, name):
    tenant = case(name)
    heap = int(field.request(tenant, "/heap", timeout=60).body)
    ok(field, tenant, body=b"done")
    assert heap <= 128 << 20, f"a heap of {heap >> 20} MiB in a silo of 128"
    assert not field.service(tenant)["last_failure"]


def test_temporary_files_of_a_database_may_use_the_tenants_disk(field, case):
    tenant = case("sqlite-vacuum")
    answer = field.request(tenant, "/vacuum", timeout=120)
    assert answer.status == 200, why(field, tenant, answer)
    assert int(answer.body) > 70 << 20

"""Applications that nobody here wrote, as their authors published them, each a silo of its own."""

import time

from bare import request_over
from clients import by_curl, by_http_client, by_socket
from platform_up import needs_root, together

pytestmark = needs_root

REQUESTS = 300
TURNS = 5  # of a wake beside a bare start


def test_it_answers_as_it_does_bare_300_times(app, tmp_path):
    app.deploy()
    questions = app.questions
    each = [questions[number % len(questions)] for number in range(REQUESTS // 3)]
    port, host = app.platform.gateway_port, app.host
    wrong = together(3, lambda number: (
        lambda: by_http_client(port, host, each),
        lambda: by_curl(port, host, each, tmp_path),
        lambda: by_socket(port, host, each))[number]())
    assert wrong == [[], [], []], f"{sum(map(len, wrong))} broken: {wrong}\n{app.why()}"


def test_it_sleeps_and_each_request_that_wakes_it_is_answered(app, starts):
    app.deploy()
    ask, expected = app.questions[0]
    woken, bare = [], []
    for _ in range(TURNS):
        app.wait_until_asleep()
        begun = time.monotonic()
        answer = app.ask(ask)
        woken.append(time.monotonic() - begun)
        assert (answer.status, answer.body) == (expected.status, expected.body), app.why()
        begun = time.monotonic()
        with app.bare.running() as connect:
            assert request_over(connect(), ask, app.host) == expected
            bare.append(time.monotonic() - begun)
    starts.add(app.app.name, woken, bare)


def test_its_data_is_the_same_after_a_sleep_and_in_another_tenant(app, tmp_path):
    app.deploy()
    for ask in app.app.writes:
        answer = app.ask(ask)
        assert answer.status < 400, f"{answer}\n{app.why()}"
    kept = app.ask(app.app.read)
    assert kept.status == 200, f"{kept}\n{app.why()}"
    app.wait_until_asleep()
    assert app.ask(app.app.read).body == kept.body
    archive = tmp_path / "archive.tar"
    app.platform.granary("tenant", "export", app.tenant, "--to", str(archive))
    other = f"{app.tenant}-again"
    app.platform.granary("tenant", "restore", other, "--from", str(archive))
    again = app.ask(app.app.read, tenant=other)
    assert (again.status, again.body) == (kept.status, kept.body)
    app.platform.granary("tenant", "offboard", other, "--retain", "0s", "--no-export", "--yes")
    assert app.ask(app.app.read, tenant=other).status == 404


def test_its_tenant_is_offboarded(app):
    app.deploy()
    app.platform.granary("tenant", "offboard", app.tenant, "--retain", "0s", "--yes")
    assert app.ask(app.app.read).status == 404
